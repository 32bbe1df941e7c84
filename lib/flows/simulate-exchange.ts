// What the broker would answer to evidence under a tenant's current configuration (design §2, admin). Nothing is issued, redeemed,
// stored or logged, and nothing is asked: signatures, replays and revocations are not judged, and the answer says so.
import type { SimulatedEvidence } from '../domain/admin-request.ts'
import type { JsonObject } from '../domain/claims.ts'
import { parseCompactJws } from '../domain/compact-jws.ts'
import type { Target } from '../domain/decide.ts'
import { decideOffline, type EvidenceCheck, shownDecision } from '../domain/offline-decision.ts'
import type { ProviderCatalog } from '../domain/provider.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { TenantConfig } from '../domain/tenant-config.ts'

export type Simulation =
  | { readonly kind: 'unreadable'; readonly verdict: { readonly allow: false } & Refusal }
  | ({ readonly kind: 'simulated' } & ReturnType<typeof shownDecision>)

const UNCHECKED: EvidenceCheck = {
  check: 'signature',
  holds: null,
  says: 'not checked: a simulation judges what the claims say, not who signed them, nor whether they were redeemed or revoked',
}

export const simulateExchange = (
  catalog: ProviderCatalog,
  config: TenantConfig,
  { evidence, target }: { readonly evidence: SimulatedEvidence; readonly target: Target },
  nowSeconds: number,
): Simulation => {
  const read = evidence.form === 'claims' ? null : parseCompactJws(evidence.assertion)
  if (read !== null && !read.ok) return { kind: 'unreadable', verdict: { allow: false, ...read.refusal } }
  const claims = evidence.form === 'claims' ? evidence.claims : (read?.value.claims as JsonObject)
  const decision = decideOffline(catalog, config, claims, target, nowSeconds)
  return { kind: 'simulated', ...shownDecision(config, decision, { checks: [...decision.checks, UNCHECKED] }) }
}
