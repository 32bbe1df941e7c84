// The keys attest and mint verify with (design §3.1; issuers.md §0.10; attacks rows 56-60). Imported keys by source, kid and
// algorithm, over the sets that trust stored. Off the request path: refreshing ahead of expiry. On it, once each and shared
// by all who wait: the first fetch of a source, and one fetch a minute for key ids that are not in its set.
import type { JsonValue } from '../../domain/claims.ts'
import type { PublicJwk } from '../../domain/jwk-policy.ts'
import { inlineKeySet, type KeySource, keySourceId } from '../../domain/key-source.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { SignatureAlgorithm } from '../../domain/provider.ts'
import { refuse } from '../../domain/refusal.ts'
import type { Result } from '../../domain/result.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { IssuerKeys, VerifyKey } from '../../ports/evidence.ts'
import type { IssuerKeyStore, RefreshReason, StoredKeySet, Trust } from '../../ports/issuer-keys.ts'
import { ageMs, keyIn, type LoadedKeySet, loadKeySet } from './loaded-key-set.ts'

export type IssuerKeysPorts = {
  readonly store: Pick<IssuerKeyStore, 'read'>
  readonly trust: Trust
  readonly clock: Clock
  /** May throw on a key its library refuses: the key is then unusable. */
  readonly importKey: (jwk: PublicJwk, alg: SignatureAlgorithm) => VerifyKey
  /** In [0, 1): spreads refreshes and retries of many processes. */
  readonly jitter: () => number
}

export interface RefreshedIssuerKeys extends IssuerKeys {
  /**
   * Rereads the store and fetches what is due or failed, for sources used in the last hour and those named. The host calls
   * it every few seconds (no call while one runs); each source keeps its own interval and back-off. How many were fetched.
   */
  refreshDue(sources?: readonly KeySource[]): Promise<number>
  /** Rereads the store for sources in use, where somebody else fetches: what an issuer withdrew goes from here too. */
  rereadAll(): Promise<void>
}

export const createIssuerKeys = (ports: IssuerKeysPorts): RefreshedIssuerKeys => {
  const cache: Cache = { ports, ids: new WeakMap(), entries: new Map(), generation: 0 }
  return {
    peek(source, kid, alg) {
      const entry = entryOf(cache, source)
      return isServable(cache, entry) ? entry.set?.keys.get(kid)?.imported.get(alg) : undefined
    },
    find: (source, kid, alg) => find(cache, source, kid, alg),
    generation: (source) => entryOf(cache, source).generation,
    refreshDue: (sources = []) => refreshDue(cache, sources),
    rereadAll: () => rereadAll(cache),
  }
}

/** For whoever may not ask trust: what is not in the store is not to be had. */
export const storedKeysOnly: Trust = {
  async refresh() {
    throw new Unavailable('issuer_keys_unavailable')
  },
}

type Cache = {
  readonly ports: IssuerKeysPorts
  /** The hot path must not build an id: configuration objects are frozen data, so one is computed per object. */
  readonly ids: WeakMap<KeySource, string>
  readonly entries: Map<string, Entry>
  /** One counter for all sources, so that no two sets ever share a generation. */
  generation: number
}

type Entry = {
  readonly id: string
  readonly source: KeySource
  set: LoadedKeySet | null
  generation: number
  /** The one fetch under way. */
  flight: Promise<void> | null
  rereading: Promise<void> | null
  rereadAtMs: number
  usedAtMs: number
  /** Fetches that failed since the last good one; nothing is fetched before `retryAtMs`. */
  failures: number
  retryAtMs: number
  unknownKidAtMs: number
  /** kid -> until when it counts as absent, in the order they were learnt. */
  readonly absent: Map<string, number>
}

const entryOf = (cache: Cache, source: KeySource): Entry => {
  const id = cache.ids.get(source) ?? keySourceId(source)
  cache.ids.set(source, id)
  const usedAtMs = cache.ports.clock.monotonicMs()
  const known = cache.entries.get(id)
  if (known !== undefined) {
    known.usedAtMs = usedAtMs
    return known
  }
  const never = Number.NEGATIVE_INFINITY
  const entry: Entry = {
    id,
    source,
    set: null,
    generation: 0,
    flight: null,
    rereading: null,
    rereadAtMs: never,
    usedAtMs,
    failures: 0,
    retryAtMs: never,
    unknownKidAtMs: never,
    absent: new Map(),
  }
  cache.entries.set(id, entry)
  if (source.kind === 'inline') load(cache, entry, inlineKeySet(source), cache.ports.clock.nowSeconds())
  return entry
}

const load = (cache: Cache, entry: Entry, jwks: JsonValue, fetchedAtSeconds: number): void => {
  const { set } = entry
  entry.set = loadKeySet({ source: entry.source, jwks, fetchedAtSeconds, before: set, ...cache.ports })
  if (entry.set.keys === set?.keys) return
  cache.generation += 1
  entry.generation = cache.generation
}

const isServable = (cache: Cache, entry: Entry): boolean =>
  entry.set !== null &&
  (entry.source.kind === 'inline' || ageMs(entry.set, cache.ports.clock) <= LIMITS.jwksStaleSecondsMax * 1_000)

const find = async (
  cache: Cache,
  source: KeySource,
  kid: string,
  alg: SignatureAlgorithm,
): Promise<Result<VerifyKey>> => {
  const entry = entryOf(cache, source)
  const look = (): Result<VerifyKey> | null =>
    isServable(cache, entry) ? entry.set && keyIn(entry.set, { kid, alg, importKey: cache.ports.importKey }) : null
  const cached = look()
  if (cached !== null) return cached
  if (source.kind === 'inline') return refuse('key_unknown', { kid })

  await reread(cache, entry)
  const stored = look()
  if (stored !== null) return stored
  if (!isServable(cache, entry)) {
    if (!isBackingOff(cache, entry)) await refresh(cache, entry, 'cold')
    if (!isServable(cache, entry)) throw unavailable(cache, entry)
    const fetched = look()
    if (fetched !== null) return fetched
    rememberAbsent(cache, entry, kid)
    return refuse('key_unknown', { kid })
  }
  return findUnknown(cache, entry, kid, look)
}

/** A key id the set does not have: the issuer may have rotated, or somebody makes ids up (row 57). */
const findUnknown = async (
  cache: Cache,
  entry: Entry,
  kid: string,
  look: () => Result<VerifyKey> | null,
): Promise<Result<VerifyKey>> => {
  const { clock } = cache.ports
  if ((entry.absent.get(kid) ?? 0) > clock.monotonicMs()) return refuse('key_unknown', { kid })
  while (entry.flight !== null) {
    await entry.flight
    const fetched = look()
    if (fetched !== null) return fetched
  }
  const sinceMs = clock.monotonicMs() - entry.unknownKidAtMs
  if (!isBackingOff(cache, entry) && sinceMs >= LIMITS.jwksUnknownKidIntervalSeconds * 1_000) {
    entry.unknownKidAtMs = clock.monotonicMs()
    await refresh(cache, entry, 'unknown_key')
    const fetched = look()
    if (fetched !== null) return fetched
    if (entry.failures === 0) rememberAbsent(cache, entry, kid)
  }
  // Nobody could be asked, so nobody said that the key does not exist: an outage is never the caller's fault.
  if (entry.failures > 0) throw unavailable(cache, entry)
  return refuse('key_unknown', { kid })
}

const rememberAbsent = ({ ports }: Cache, { absent }: Entry, kid: string): void => {
  absent.delete(kid)
  const [oldest] = absent.keys()
  if (absent.size >= LIMITS.jwksNegativeKidsMax && oldest !== undefined) absent.delete(oldest)
  absent.set(kid, ports.clock.monotonicMs() + LIMITS.jwksUnknownKidIntervalSeconds * 1_000)
}

const isBackingOff = ({ ports }: Cache, entry: Entry): boolean => ports.clock.monotonicMs() < entry.retryAtMs

const unavailable = ({ ports }: Cache, entry: Entry): Unavailable =>
  new Unavailable(
    'issuer_keys_unavailable',
    Math.max(1, Math.ceil((entry.retryAtMs - ports.clock.monotonicMs()) / 1_000)),
  )

/** Takes over what another process stored; at most every few seconds, and one read for all who ask. */
const reread = (cache: Cache, entry: Entry): Promise<void> => {
  const { clock, store } = cache.ports
  if (entry.rereading !== null) return entry.rereading
  if (clock.monotonicMs() - entry.rereadAtMs < LIMITS.jwksStoreRereadSeconds * 1_000) return Promise.resolve()
  const read = async (): Promise<void> => {
    try {
      const stored = await store.read(entry.id)
      if (stored !== null) adopt(cache, entry, stored)
      entry.rereadAtMs = clock.monotonicMs()
    } finally {
      entry.rereading = null
    }
  }
  entry.rereading = read()
  return entry.rereading
}

const adopt = (cache: Cache, entry: Entry, stored: StoredKeySet): void =>
  load(cache, entry, stored.jwks, stored.fetchedAtSeconds)

/** Single flight (row 60). Settles when the fetch did, well or badly; rejects for bugs only. */
const refresh = (cache: Cache, entry: Entry, why: RefreshReason): Promise<void> => {
  entry.flight ??= fly(cache, entry, why).finally(() => {
    entry.flight = null
  })
  return entry.flight
}

const fly = async (cache: Cache, entry: Entry, why: RefreshReason): Promise<void> => {
  if (entry.source.kind === 'inline') return
  try {
    const outcome = await cache.ports.trust.refresh(entry.source, why)
    if (!outcome.ok) {
      backOff(cache, entry)
      return
    }
    adopt(cache, entry, outcome.set)
    if (!outcome.fetched) return
    entry.failures = 0
    entry.retryAtMs = Number.NEGATIVE_INFINITY
    entry.absent.clear()
  } catch (error) {
    backOff(cache, entry)
    if (!(error instanceof Unavailable)) throw error
  }
}

/** A dead issuer is asked 1, 2, 4 … 20 s apart, whatever the load (row 58); the cap keeps recovery within 30 s (P12). */
const backOff = ({ ports }: Cache, entry: Entry): void => {
  const seconds = Math.min(LIMITS.jwksRetrySecondsMax, 2 ** Math.min(entry.failures, 10))
  entry.failures += 1
  entry.retryAtMs = ports.clock.monotonicMs() + seconds * 1_000 * (0.5 + 0.5 * ports.jitter())
}

const PARALLEL_FETCHES = 8

const refreshDue = async (cache: Cache, sources: readonly KeySource[]): Promise<number> => {
  for (const source of sources) entryOf(cache, source)
  forgetIdle(cache)
  const queue = [...cache.entries.values()].filter(({ source }) => source.kind !== 'inline')
  let fetched = 0
  const work = async (): Promise<void> => {
    for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
      await rereadIfPossible(cache, entry)
      if (!isDue(cache, entry)) continue
      await refresh(cache, entry, 'due')
      if (entry.failures === 0) fetched += 1
    }
  }
  // One slow issuer holds up one of these, not the refresh of all others.
  await Promise.all(Array.from({ length: PARALLEL_FETCHES }, work))
  return fetched
}

const rereadAll = async (cache: Cache): Promise<void> => {
  forgetIdle(cache)
  const fetched = [...cache.entries.values()].filter(({ source }) => source.kind !== 'inline')
  await Promise.all(fetched.map((entry) => rereadIfPossible(cache, entry)))
}

const rereadIfPossible = async (cache: Cache, entry: Entry): Promise<void> => {
  try {
    await reread(cache, entry)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
  }
}

const isDue = (cache: Cache, entry: Entry): boolean => {
  if (entry.flight !== null || isBackingOff(cache, entry)) return false
  return entry.failures > 0 || entry.set === null || ageMs(entry.set, cache.ports.clock) >= entry.set.dueAgeMs
}

const forgetIdle = ({ ports, entries }: Cache): void => {
  const before = ports.clock.monotonicMs() - LIMITS.jwksIdleSeconds * 1_000
  for (const [id, entry] of entries) if (entry.usedAtMs < before && entry.flight === null) entries.delete(id)
}
