// The decision a broker would make on some claims, without a broker: the same checks in the same order, by the same domain
// functions. Unlike the broker it goes on after a failed check, so that one run tells everything. Signatures are not its affair,
// nor what was redeemed or revoked. Pure.
import { checkClaims, issuerOf } from './assertion-checks.ts'
import type { JsonObject } from './claims.ts'
import { type Choice, chooseGrant, evaluateGrants, type GrantEvaluation, type Target } from './decide.ts'
import { type Explanation, explainGrants } from './explain.ts'
import { normalize } from './normalize.ts'
import type { ProviderCatalog } from './provider.ts'
import { quoted } from './quoted.ts'
import { REFUSALS, type Refusal, refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import type { IssuerConfig, TenantConfig } from './tenant-config.ts'
import type { Wid } from './wid.ts'

/** One check of the evidence. `holds: null` where it was not or could not be made. */
export type EvidenceCheck = {
  readonly check: 'issuer' | 'audience' | 'age' | 'claims' | 'tenancy' | 'signature'
  readonly holds: boolean | null
  readonly says: string
}

export type OfflineDecision = {
  readonly issuer: IssuerConfig | null
  readonly checks: readonly EvidenceCheck[]
  readonly wid: Wid | null
  readonly evaluations: readonly GrantEvaluation[]
  readonly explanation: Explanation
  /** What the broker would answer: the first failed check, else the choice. */
  readonly outcome: Result<Choice>
}

const NOTHING: Explanation = { rows: [], nearest: null, reportOnly: [] }

export const decideOffline = (
  catalog: ProviderCatalog,
  config: TenantConfig,
  claims: JsonObject,
  target: Target,
  nowSeconds: number,
): OfflineDecision => {
  const iss = issuerOf(claims)
  const issuer = config.issuers.find((candidate) => candidate.issuer === iss) ?? null
  if (issuer === null) {
    const known = config.issuers.map(({ name, issuer: iss }) => `${name} ${iss}`).join(', ')
    const says = `${quoted(claims['iss'] ?? iss)} is not registered in tenant ${config.tenant} (${known})`
    const outcome = iss === null ? refuse('issuer_missing') : refuse('issuer_unknown')
    return {
      issuer,
      checks: [{ check: 'issuer', holds: false, says }],
      wid: null,
      evaluations: [],
      explanation: NOTHING,
      outcome,
    }
  }
  const evidence = checkEvidence(issuer, claims, nowSeconds)
  const normalized = normalizeClaims(catalog, issuer, claims)
  const checks: EvidenceCheck[] = [
    { check: 'issuer', holds: true, says: `${issuer.name}: ${issuer.issuer}` },
    ...evidence.checks,
  ]
  if (!normalized.ok) {
    checks.push({ check: 'claims', holds: false, says: describeRefusal(normalized.refusal) })
    return { issuer, checks, wid: null, evaluations: [], explanation: NOTHING, outcome: evidence.refusal ?? normalized }
  }
  const wid = normalized.value
  const tenancy = checkTenancy(catalog, issuer, wid)
  checks.push(
    {
      check: 'claims',
      holds: true,
      says: `the claims of ${catalog[issuer.provider].title} are there and well formed`,
    },
    tenancy.check,
  )
  const evaluations = evaluateGrants(config, issuer.name, wid)
  const outcome = evidence.refusal ?? tenancy.refusal ?? chooseGrant(evaluations, target)
  return { issuer, checks, wid, evaluations, explanation: explainGrants(evaluations, wid), outcome }
}

/** "exp has passed (exp 12, …)". Facts come from claims: quoted, they cannot write to a terminal. */
export const describeRefusal = ({ kind, detail }: Refusal): string => {
  const facts = Object.entries(detail ?? {}).map(([name, value]) => `${name} ${quoted(value)}`)
  return `${REFUSALS[kind].says}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`
}

const normalizeClaims = (catalog: ProviderCatalog, issuer: IssuerConfig, claims: JsonObject): Result<Wid> => {
  const provider = catalog[issuer.provider]
  const fits = provider.check?.(claims, issuer.issuer) ?? ok(null)
  return fits.ok ? normalize(provider, issuer.issuer, claims, issuer.mapping) : fits
}

const checkEvidence = (issuer: IssuerConfig, claims: JsonObject, nowSeconds: number) => {
  const checked = checkClaims(claims, { ...issuer, nowSeconds })
  const isAudience = !checked.ok && checked.refusal.kind.startsWith('audience')
  // With the audience taken as it comes, what is left are the times.
  const aud = claims['aud']
  const sole = Array.isArray(aud) ? aud[0] : aud
  const rest = isAudience ? checkClaims({ ...claims, aud: issuer.audience }, { ...issuer, nowSeconds }) : checked
  const age =
    typeof claims['iat'] === 'number'
      ? `issued ${nowSeconds - claims['iat']} s ago, at most ${issuer.maxAgeSeconds} s`
      : 'no iat'
  const checks: EvidenceCheck[] = [
    {
      check: 'audience',
      holds: !isAudience,
      says: isAudience ? `aud is ${quoted(sole ?? null)}, expected ${issuer.audience}` : issuer.audience,
    },
    { check: 'age', holds: rest.ok, says: rest.ok ? age : `${describeRefusal(rest.refusal)}; ${age}` },
  ]
  return { checks, refusal: checked.ok ? null : checked }
}

const checkTenancy = (catalog: ProviderCatalog, issuer: IssuerConfig, wid: Wid) => {
  const leaf = catalog[issuer.provider].tenancyLeaf
  const actual = wid[leaf]
  if (issuer.orgIds === null) return { check: tenancyCheck(true, 'the issuer signs for one customer'), refusal: null }
  if (actual === null)
    return { check: tenancyCheck(false, `${leaf} is missing`), refusal: refuse('tenancy_missing', { leaf }) }
  const holds = issuer.orgIds.includes(String(actual))
  const says = `${leaf} is ${quoted(actual)}${holds ? '' : `, expected ${issuer.orgIds.join(' or ')}`}`
  return { check: tenancyCheck(holds, says), refusal: holds ? null : refuse('tenancy_mismatch', { leaf, actual }) }
}

const tenancyCheck = (holds: boolean, says: string): EvidenceCheck => ({ check: 'tenancy', holds, says })

/** What `explain` and a simulation show. `isForged`: the signature was checked and does not verify. */
export const shownDecision = (
  config: TenantConfig,
  decision: OfflineDecision,
  { checks, isForged = false }: { readonly checks: readonly EvidenceCheck[]; readonly isForged?: boolean },
) => ({
  tenant: config.tenant,
  issuer: decision.issuer?.name ?? null,
  checks,
  wid: decision.wid,
  conditions: decision.explanation.rows,
  grants: decision.evaluations.map(({ grant, holds, identity }) => ({
    grant: grant.name,
    mode: grant.mode,
    matches: holds,
    identity,
  })),
  nearest: decision.explanation.nearest,
  verdict: isForged ? { allow: false, kind: 'signature_invalid' } : verdictOf(config, decision),
})

const verdictOf = ({ trustDomain }: TenantConfig, { outcome }: OfflineDecision) =>
  outcome.ok
    ? {
        allow: true,
        grant: outcome.value.grant.name,
        audience: outcome.value.audience,
        scope: outcome.value.scope,
        subject: `spiffe://${trustDomain}${outcome.value.identityPath}`,
        ttlSeconds: outcome.value.entry.ttlSeconds,
      }
    : { allow: false, ...outcome.refusal }
