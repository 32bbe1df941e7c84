// What is counted of exchanges for monitoring: integers, added to as answers go out. A tenant is one that is registered, and no
// more than so many have series of their own; everything else a count has is from a closed list, so no caller can make a
// series (attacks row 36). Counters, not records: those are the audit trail. Pure.
import type { Denial } from './grant-record.ts'
import { LIMITS } from './limits.ts'
import { DURATION_BOUNDS } from './metrics.ts'
import { type Histogram, newHistogram, observe, type Reading, reading } from './reading.ts'
import { type Answer, REFUSALS, type RefusalKind } from './refusal.ts'
import type { CredentialType, GrantType } from './token-request.ts'
import type { ProviderName } from './wid.ts'

/** issued: a token went out. refused: the request, evidence or target was. failed: a bug of ours. */
export type ExchangeOutcome = 'issued' | 'refused' | 'limited' | 'unavailable' | 'failed'

const OUTCOMES: readonly ExchangeOutcome[] = ['issued', 'refused', 'limited', 'unavailable', 'failed']
const ANSWERS = [...new Set(Object.values(REFUSALS).map(({ answer }) => answer))] as readonly Answer[]
const KINDS = Object.keys(REFUSALS) as readonly RefusalKind[]
/** What the token endpoint answers; any other is a bug and counted as one. */
const STATUSES = [200, 400, 401, 404, 405, 408, 413, 415, 429, 500, 503] as const

/** Paths and denials that name no tenant of ours, and tenants beyond LIMITS.metricTenantsMax. No tenant has such a name. */
export const UNKNOWN_TENANT = '_unknown'
export const OTHER_TENANTS = '_other'

type Issued = Record<GrantType, Record<CredentialType, number>>

export type TenantCounts = {
  readonly exchanges: Record<ExchangeOutcome, number>
  readonly denials: Record<Answer, number>
  readonly issued: Map<ProviderName, Issued>
  readonly privileged: Record<CredentialType, number>
  readonly attestationFailures: Map<string, number>
  replays: number
}

/** Since the process started, or since it was taken last; `inFlight` is now. */
export type ExchangeCounts = {
  inFlight: number
  readonly tenants: Map<string, TenantCounts>
  readonly refusals: Record<RefusalKind, number>
  readonly durations: ReadonlyMap<number, Histogram>
}

const zeros = <K extends string>(keys: readonly K[]): Record<K, number> =>
  Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>

/** `keepsValues`: of durations, for whoever takes the counts often and sends them on. */
export const newExchangeCounts = (keepsValues = false): ExchangeCounts => ({
  inFlight: 0,
  tenants: new Map(),
  refusals: zeros(KINDS),
  durations: new Map(STATUSES.map((status) => [status, newHistogram(DURATION_BOUNDS, keepsValues)])),
})

const newTenantCounts = (): TenantCounts => ({
  exchanges: zeros(OUTCOMES),
  denials: zeros(ANSWERS),
  issued: new Map(),
  privileged: { access_token: 0, 'aws-credentials': 0 },
  attestationFailures: new Map(),
  replays: 0,
})

/** The counts of a tenant. `isRegistered` is asked only for a name that has none yet. */
export const countsOf = (
  { tenants }: ExchangeCounts,
  tenant: string,
  isRegistered: (tenant: string) => boolean,
): TenantCounts => {
  const known = tenants.get(tenant)
  if (known !== undefined) return known
  if (!isRegistered(tenant)) return named(tenants, UNKNOWN_TENANT)
  return named(tenants, tenants.size < LIMITS.metricTenantsMax ? tenant : OTHER_TENANTS)
}

const named = (tenants: Map<string, TenantCounts>, name: string): TenantCounts => {
  const known = tenants.get(name)
  if (known !== undefined) return known
  const made = newTenantCounts()
  tenants.set(name, made)
  return made
}

/** From the HTTP status of the token endpoint. */
export const outcomeOf = (statusCode: number): ExchangeOutcome => {
  if (statusCode === 200) return 'issued'
  if (statusCode === 429) return 'limited'
  if (statusCode === 503) return 'unavailable'
  return statusCode < 500 ? 'refused' : 'failed'
}

export const countAnswer = (counts: ExchangeCounts, of: TenantCounts, statusCode: number, seconds: number): void => {
  of.exchanges[outcomeOf(statusCode)] += 1
  observe((counts.durations.get(statusCode) ?? counts.durations.get(500))!, seconds)
}

/** `isPrivileged`: whether it opens much (METRICS.privileged). */
export const countIssued = (
  of: TenantCounts,
  provider: ProviderName,
  grantType: GrantType,
  credential: { readonly type: CredentialType; readonly scope: string },
): void => {
  const { type, scope } = credential
  let issued = of.issued.get(provider)
  if (issued === undefined) {
    const none = () => ({ access_token: 0, 'aws-credentials': 0 })
    issued = { 'token-exchange': none(), 'jwt-bearer': none() }
    of.issued.set(provider, issued)
  }
  issued[grantType][type] += 1
  if (type === 'aws-credentials' || hasAdmin(scope)) of.privileged[type] += 1
}

/** Most scopes have not even the letters: no list is made of those. */
const hasAdmin = (scope: string): boolean => scope.includes('admin') && scope.split(' ').includes('admin')

/** `provider`: of the issuer the evidence named, or `unknown`. */
export const countDenial = (counts: ExchangeCounts, of: TenantCounts, denial: Denial, provider: string): void => {
  const { kind } = denial.refusal
  const { answer } = REFUSALS[kind]
  of.denials[answer] += 1
  counts.refusals[kind] += 1
  if (kind === 'replayed') of.replays += 1
  // Evidence that verified, and was spent or revoked, is no failure to attest.
  if (answer === 'evidence' && !denial.verified)
    of.attestationFailures.set(provider, (of.attestationFailures.get(provider) ?? 0) + 1)
}

export const exchangeReadings = (counts: ExchangeCounts): Reading[] => {
  const { inFlight, tenants, refusals, durations } = counts
  return [
    reading('inFlight', inFlight),
    ...KINDS.map((kind) => reading('refusals', refusals[kind], kind)),
    ...[...durations].map(([status, histogram]) =>
      reading('duration', histogram, 'POST', '/t/{tenant}/token', String(status)),
    ),
    ...[...tenants].flatMap(([tenant, of]) => tenantReadings(tenant, of)),
  ]
}

const tenantReadings = (tenant: string, of: TenantCounts): Reading[] => [
  ...OUTCOMES.map((outcome) => reading('exchanges', of.exchanges[outcome], tenant, outcome)),
  ...ANSWERS.map((reason) => reading('denials', of.denials[reason], tenant, reason)),
  ...Object.entries(of.privileged).map(([type, count]) => reading('privileged', count, tenant, type)),
  ...[...of.attestationFailures].map(([provider, count]) => reading('attestationFailures', count, tenant, provider)),
  ...[...of.issued].flatMap(([provider, issued]) =>
    Object.entries(issued).flatMap(([grantType, types]) =>
      Object.entries(types)
        .filter(([, count]) => count > 0)
        .map(([type, count]) => reading('issued', count, tenant, provider, grantType, type)),
    ),
  ),
  reading('replays', of.replays, tenant),
]
