// One key set as a process holds it: judged once, each key imported once, and an age that neither reading it again nor
// setting the clock back makes younger (design §3 "Clock"; issuers.md §0.10).
import type { JsonValue } from '../../domain/claims.ts'
import { keyFor, type PublicJwk, type UsableJwk } from '../../domain/jwk-policy.ts'
import { type KeySource, usableKeysOf } from '../../domain/key-source.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { SignatureAlgorithm } from '../../domain/provider.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok, type Result } from '../../domain/result.ts'
import type { Clock } from '../../ports/clock.ts'
import type { VerifyKey } from '../../ports/evidence.ts'

export type LoadedKeySet = {
  readonly jwks: JsonValue
  readonly usable: readonly UsableJwk[]
  /** Keys of the set by kid, imported for each algorithm they were asked for. The same object as long as the set is. */
  readonly keys: ReadonlyMap<string, { readonly imported: Map<SignatureAlgorithm, VerifyKey> }>
  readonly fetchedAtSeconds: number
  readonly ageAtAdoptionMs: number
  readonly adoptedAtMs: number
  /** Age at which it is fetched again: short of the limit, and not the same in every process. */
  readonly dueAgeMs: number
}

type LoadInput = {
  readonly source: KeySource
  readonly jwks: JsonValue
  readonly fetchedAtSeconds: number
  readonly before: LoadedKeySet | null
  readonly clock: Clock
  readonly jitter: () => number
}

export const loadKeySet = ({ source, jwks, fetchedAtSeconds, before, clock, jitter }: LoadInput): LoadedKeySet => {
  const same = before !== null && isSameJson(before.jwks, jwks) ? before : null
  // What was seen before does not get younger by being read again: its monotonic age goes on.
  if (same?.fetchedAtSeconds === fetchedAtSeconds) return same
  const usable = same?.usable ?? usableKeysOf(source, jwks).keys
  const age = clock.nowMs() - fetchedAtSeconds * 1_000
  return {
    jwks,
    usable,
    keys: same?.keys ?? new Map(usable.map(({ kid }) => [kid, { imported: new Map() }])),
    fetchedAtSeconds,
    // A set from the future was written under a clock that was wrong; nobody knows how old it is.
    ageAtAdoptionMs: age < -LIMITS.clockStepSecondsMax * 1_000 ? Number.POSITIVE_INFINITY : Math.max(0, age),
    adoptedAtMs: clock.monotonicMs(),
    dueAgeMs: LIMITS.jwksRefreshSeconds * 1_000 * (0.8 + 0.15 * jitter()),
  }
}

const isSameJson = (a: JsonValue, b: JsonValue): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

/** The later of wall and monotonic age. */
export const ageMs = (set: LoadedKeySet, clock: Clock): number =>
  Math.max(set.ageAtAdoptionMs + clock.monotonicMs() - set.adoptedAtMs, clock.nowMs() - set.fetchedAtSeconds * 1_000)

type KeyQuery = {
  readonly kid: string
  readonly alg: SignatureAlgorithm
  /** May throw on a key its library refuses. */
  readonly importKey: (jwk: PublicJwk, alg: SignatureAlgorithm) => VerifyKey
}

/** Null: the set has no key of this id. Refuses: key_unusable. */
export const keyIn = (set: LoadedKeySet, { kid, alg, importKey }: KeyQuery): Result<VerifyKey> | null => {
  const imported = set.keys.get(kid)?.imported
  if (imported === undefined) return null
  const known = imported.get(alg)
  if (known !== undefined) return ok(known)
  const usable = keyFor(set.usable, kid, alg)
  if (!usable.ok) return usable
  try {
    const key = importKey(usable.value.jwk, alg)
    imported.set(alg, key)
    return ok(key)
  } catch {
    return refuse('key_unusable', { kid, alg })
  }
}
