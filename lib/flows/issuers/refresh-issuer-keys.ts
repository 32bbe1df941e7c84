// trust: fetch, judge and store the key set of one source (design §2, issuers.md §0.10; attacks rows 43, 53-55, 59). Its
// caller names a source of the tenant document, never a URL of its own. What the issuer does is an outcome, not an error;
// a set that cannot be used never replaces one that can.
import { isJsonObject, type JsonValue } from '../../domain/claims.ts'
import { parseStrictJson } from '../../domain/json.ts'
import { discoveryUrl, type FetchedKeySource, keySourceId, usableKeysOf } from '../../domain/key-source.ts'
import { LIMITS } from '../../domain/limits.ts'
import { decodeUtf8 } from '../../domain/utf8.ts'
import type { Clock } from '../../ports/clock.ts'
import type {
  IssuerKeyStore,
  RefreshOutcome,
  RefreshProblem,
  RefreshReason,
  StoredKeySet,
  Trust,
  TrustEvent,
} from '../../ports/issuer-keys.ts'
import type { OutboundHttp, OutboundReason } from '../../ports/outbound-http.ts'

export type TrustPorts = {
  readonly http: Pick<OutboundHttp, 'get'>
  readonly store: IssuerKeyStore
  readonly clock: Clock
  /** True for the broker's base URL and all below it: our own tokens are not evidence (design §3). */
  readonly isOwnUrl: (url: string) => boolean
  readonly observe?: (event: TrustEvent) => void
  /** Deadlines of one refresh; default those of LIMITS. */
  readonly connectMs?: number
  readonly totalMs?: number
}

export const createTrust = (ports: TrustPorts): Trust => ({
  refresh: (source, why) => refreshIssuerKeys(ports, source, why),
})

/** Throws Unavailable when the store fails, and only then. */
const refreshIssuerKeys = async (
  ports: TrustPorts,
  source: FetchedKeySource,
  why: RefreshReason,
): Promise<RefreshOutcome> => {
  const sourceId = keySourceId(source)
  const stored = await ports.store.read(sourceId)
  // The age of a set counts from before it was asked for: what was served may be as old as that.
  const nowSeconds = ports.clock.nowSeconds()
  if (why === 'unknown_key' && stored !== null && wasJustAsked(stored, nowSeconds))
    return { ok: true, set: stored, fetched: false }

  const fetched = await fetchKeySet(ports, source)
  // A sequence binds as long as its set may be served: a SPIFFE server that lost its count is believed again after that.
  const isCurrent = stored !== null && nowSeconds - stored.fetchedAtSeconds <= LIMITS.jwksStaleSecondsMax
  const judged = fetched.ok ? judgeSet(source, fetched.value, isCurrent ? stored : null) : fetched
  const unknownKeyFetchAtSeconds = why === 'unknown_key' ? nowSeconds : (stored?.unknownKeyFetchAtSeconds ?? null)
  if (!judged.ok) {
    // A failed fetch has been a fetch: it counts, or a dead issuer would be asked for every key id somebody makes up.
    if (why === 'unknown_key') await markAsked(ports, sourceId, nowSeconds)
    const { problem, reason, status } = judged
    ports.observe?.({ kind: 'keys_not_refreshed', sourceId, problem, reason, status, keptLastGood: stored !== null })
    return { ok: false, problem, status }
  }
  const { jwks, spiffeSequence, usable, dropped } = judged.value
  const set: StoredKeySet = { sourceId, jwks, fetchedAtSeconds: nowSeconds, spiffeSequence, unknownKeyFetchAtSeconds }
  await ports.store.write(set)
  ports.observe?.({ kind: 'keys_refreshed', sourceId, usable, dropped })
  return { ok: true, set, fetched: true }
}

/** Bounds fetches for unknown key ids over all processes; a mark from the future is one of a clock that was wrong. */
const wasJustAsked = ({ unknownKeyFetchAtSeconds: askedAt }: StoredKeySet, nowSeconds: number): boolean =>
  askedAt !== null && askedAt <= nowSeconds && nowSeconds - askedAt < LIMITS.jwksUnknownKidIntervalSeconds

const markAsked = async ({ store }: TrustPorts, sourceId: string, nowSeconds: number): Promise<void> => {
  // Read again: the fetch took seconds, and another process may have stored a newer set meanwhile.
  const current = await store.read(sourceId)
  if (current !== null) await store.write({ ...current, unknownKeyFetchAtSeconds: nowSeconds })
}

type Step<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false
      readonly problem: RefreshProblem
      readonly reason: OutboundReason | null
      readonly status: number | null
    }

const no = (
  problem: RefreshProblem,
  reason: OutboundReason | null = null,
  status: number | null = null,
): Step<never> => ({ ok: false, problem, reason, status })

/** Discovery and key set share one deadline: two slow answers are not slower than one. */
const fetchKeySet = async (ports: TrustPorts, source: FetchedKeySource): Promise<Step<JsonValue>> => {
  const endsAtMs = ports.clock.monotonicMs() + (ports.totalMs ?? LIMITS.fetchTotalMs)
  if (source.kind === 'url') return fetchJson(ports, source.url, endsAtMs)
  const discovered = await fetchJson(ports, discoveryUrl(source.issuer), endsAtMs)
  if (!discovered.ok) return discovered
  const jwksUri = jwksUriOf(discovered.value, source)
  return jwksUri.ok ? fetchJson(ports, jwksUri.value, endsAtMs) : jwksUri
}

/** The issuer's own key set URL: byte-equal issuer, same scheme, and a host that was registered (row 43, mix-up). */
const jwksUriOf = (document: JsonValue, source: Extract<FetchedKeySource, { kind: 'discovery' }>): Step<string> => {
  if (!isJsonObject(document)) return no('discovery_malformed')
  const { issuer, jwks_uri: jwksUri } = document
  if (issuer !== source.issuer) return no('issuer_mismatch')
  if (typeof jwksUri !== 'string' || !URL.canParse(jwksUri)) return no('discovery_malformed')
  const home = new URL(source.issuer)
  const { host, protocol } = new URL(jwksUri)
  const isKnownHost = host === home.host || source.jwksHosts.includes(host)
  return isKnownHost && protocol === home.protocol ? { ok: true, value: jwksUri } : no('jwks_uri_refused')
}

const FETCHED_JSON_LIMITS = {
  depthMax: LIMITS.fetchedJsonDepthMax,
  membersMax: LIMITS.fetchedJsonMembersMax,
  stringBytesMax: LIMITS.fetchedJsonStringBytesMax,
}

const fetchJson = async (ports: TrustPorts, url: string, endsAtMs: number): Promise<Step<JsonValue>> => {
  if (ports.isOwnUrl(url)) return no('own_url')
  const totalMs = endsAtMs - ports.clock.monotonicMs()
  if (totalMs <= 0) return no('fetch_failed', 'deadline')
  const result = await ports.http.get(url, {
    expect: 'json',
    bodyBytesMax: LIMITS.fetchBodyBytesMax,
    connectMs: ports.connectMs ?? LIMITS.fetchConnectMs,
    totalMs,
  })
  if (!result.ok) return no('fetch_failed', result.failure.reason, result.failure.status)
  const text = decodeUtf8(result.response.body)
  if (text === null) return no('not_utf8')
  const parsed = parseStrictJson(text, FETCHED_JSON_LIMITS)
  return parsed.ok ? parsed : no('not_json')
}

type JudgedSet = {
  readonly jwks: JsonValue
  readonly spiffeSequence: number | null
  readonly usable: number
  /** Why keys were left out, one code each. */
  readonly dropped: readonly string[]
}

const judgeSet = (source: FetchedKeySource, jwks: JsonValue, stored: StoredKeySet | null): Step<JudgedSet> => {
  const { keys, dropped } = usableKeysOf(source, jwks)
  const spiffeSequence = source.spiffe === true ? sequenceOf(jwks) : null
  const before = stored?.spiffeSequence ?? null
  // A bundle served by a replica that lags behind would bring withdrawn keys back.
  if (spiffeSequence !== null && before !== null && spiffeSequence < before) return no('sequence_went_back')
  if (keys.length === 0) {
    if (dropped.some(({ reason }) => reason === 'set_too_large')) return no('too_many_keys')
    if (!isWithdrawal(source, jwks, spiffeSequence, stored)) return no('no_usable_key')
  }
  const reasons = dropped.map(({ reason }) => reason)
  return { ok: true, value: { jwks, spiffeSequence, usable: keys.length, dropped: reasons } }
}

/**
 * The one way to empty a set (design §2): a SPIFFE bundle without JWT keys and with a sequence above that of the last good
 * one, or the same again. Anybody else's empty set is an outage at the issuer, or an attempt to cause one here (row 59).
 */
const isWithdrawal = (
  source: FetchedKeySource,
  jwks: JsonValue,
  sequence: number | null,
  stored: StoredKeySet | null,
): boolean => {
  const before = stored?.spiffeSequence ?? null
  if (stored === null || sequence === null || before === null || !hasNoJwtKeys(jwks)) return false
  return sequence > before || usableKeysOf(source, stored.jwks).keys.length === 0
}

/** A bundle's X.509 authorities are in the same array; they are not JWT keys, and not broken ones either. */
const hasNoJwtKeys = (jwks: JsonValue): boolean => {
  const keys = isJsonObject(jwks) ? jwks['keys'] : null
  return Array.isArray(keys) && keys.every((key: JsonValue) => isJsonObject(key) && key['use'] === 'x509-svid')
}

const sequenceOf = (jwks: JsonValue): number | null => {
  const sequence = isJsonObject(jwks) ? jwks['spiffe_sequence'] : null
  return typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence >= 0 ? sequence : null
}
