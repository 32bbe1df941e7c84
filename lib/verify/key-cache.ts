// A key set as a relying party keeps it, with the guards of `trust` (design §2): fetched again before it is old and, at most once a
// minute, for a key id nobody has seen; served stale for an hour at most; an empty set never replaces a good one. Age is the later
// of both clocks'.
import type { JsonValue } from '../domain/claims.ts'
import { parseStrictJson } from '../domain/json.ts'
import { keyFor, type UsableJwk, usableKeys } from '../domain/jwk-policy.ts'
import { LIMITS } from '../domain/limits.ts'
import type { TokenAlgorithm } from '../domain/own-token.ts'
import type { Deviation, Report } from './deviation.ts'
import { type Fetch, fetchText, requireSecureUrl } from './fetch-text.ts'
import { type ImportedKey, importKey, VERIFIED_ALGORITHMS } from './signature.ts'

/** A set that is given never changes; one with a URL is fetched. */
export type KeySetSource = { readonly keys: readonly unknown[] } | { readonly url: string }

export type VerifierClock = { readonly nowMs: () => number; readonly monotonicMs: () => number }

export type KeyCache = {
  /** Null: no usable key of this id and algorithm can be had. */
  readonly find: (kid: string, alg: TokenAlgorithm) => Promise<ImportedKey | null>
  /** Moves whenever the set changes. What was verified under another generation is verified anew. */
  readonly generation: () => number
}

type KeyCacheOptions = {
  readonly source: KeySetSource
  readonly fetch: Fetch
  readonly clock: VerifierClock
  readonly report: Report
}

type Held = { readonly usable: readonly UsableJwk[]; readonly imported: Map<string, Promise<ImportedKey>> }

const JSON_LIMITS = {
  depthMax: LIMITS.fetchedJsonDepthMax,
  membersMax: LIMITS.fetchedJsonMembersMax,
  stringBytesMax: LIMITS.fetchedJsonStringBytesMax,
}

export const createKeyCache = ({ source, fetch, clock, report }: KeyCacheOptions): KeyCache => {
  const url = 'url' in source ? requireSecureUrl(source.url) : null
  let held: Held | null = 'keys' in source ? hold({ keys: source.keys } as unknown as JsonValue) : null
  if (url === null && held === null) throw new TypeError('a key set that is given has at least one usable key')
  let text = ''
  let generation = 0
  let fetched = { wallMs: Number.NEGATIVE_INFINITY, monotonicMs: Number.NEGATIVE_INFINITY }
  let triedMs = Number.NEGATIVE_INFINITY
  let loading: Promise<void> | null = null

  const ageMs = (): number =>
    url === null ? 0 : Math.max(clock.nowMs() - fetched.wallMs, clock.monotonicMs() - fetched.monotonicMs)

  const load = async (from: string): Promise<void> => {
    const at = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    const answer = await fetchText(fetch, from, LIMITS.fetchBodyBytesMax)
    const deviation = answer === null ? 'keys_unreachable' : adopt(answer)
    if (deviation === null) fetched = at
    else report(deviation)
  }

  const adopt = (answer: string): Deviation | null => {
    if (answer === text) return null
    const json = parseStrictJson(answer, JSON_LIMITS)
    const next = json.ok ? hold(json.value) : null
    if (next === null) return 'keys_empty'
    held = next
    text = answer
    generation += 1
    return null
  }

  /** One fetch serves all who wait for it, and a set that cannot be had is not asked for by every token. */
  const refresh = (minIntervalSeconds: number): Promise<void> | null => {
    if (loading !== null) return loading
    if (url === null || clock.monotonicMs() - triedMs < minIntervalSeconds * 1000) return null
    triedMs = clock.monotonicMs()
    loading = load(url).finally(() => {
      loading = null
    })
    return loading
  }

  const keyOf = (kid: string, alg: TokenAlgorithm): Promise<ImportedKey> | null => {
    if (held === null || ageMs() >= LIMITS.jwksStaleSecondsMax * 1000) return null
    const found = keyFor(held.usable, kid, alg)
    if (!found.ok) return null
    const name = `${alg} ${kid}`
    const key = held.imported.get(name) ?? importKey(found.value.jwk, alg)
    held.imported.set(name, key)
    return key
  }

  return {
    generation: () => generation,
    async find(kid, alg) {
      if (held === null || ageMs() >= LIMITS.jwksStaleSecondsMax * 1000) await refresh(RETRY_SECONDS)
      else if (ageMs() >= LIMITS.jwksMaxAgeSeconds * 1000) void refresh(RETRY_SECONDS)
      const known = keyOf(kid, alg)
      if (known !== null) return known
      await refresh(LIMITS.jwksUnknownKidIntervalSeconds)
      return keyOf(kid, alg)
    },
  }
}

const RETRY_SECONDS = 2

const hold = (jwks: JsonValue): Held | null => {
  const { keys } = usableKeys(jwks, { algorithms: VERIFIED_ALGORITHMS })
  return keys.length === 0 ? null : { usable: keys, imported: new Map() }
}
