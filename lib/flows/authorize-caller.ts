// Who calls introspection, revocation and administration (design §5): the holder of a live token of the tenant the path names, and
// of its key where it is bound to one (RFC 9449 §7). Never a shared secret, never a token for all tenants. Each refusal is recorded;
// what the caller learns is constant.
import type { Call, CallAnswer } from '../domain/call.ts'
import type { Denial } from '../domain/grant-record.ts'
import { LIMITS } from '../domain/limits.ts'
import { hasOwnScope, isForUs, type OwnScope } from '../domain/own-token.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { ok, type Result } from '../domain/result.ts'
import type { OrderProof } from '../domain/revocation-order.ts'
import type { TenantConfig } from '../domain/tenant-config.ts'
import type { Clock } from '../ports/clock.ts'
import type { DenialQueue } from '../ports/decisions.ts'
import type { ProofGuards } from '../ports/proof-guards.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import type { Ids } from '../ports/system.ts'
import type { TenantDirectory } from '../ports/tenants.ts'
import { checkTokenProof } from './check-proof.ts'
import { type LiveToken, type OwnTokenPorts, verifyOwnToken } from './verify-own-token.ts'

export type CallerPorts = OwnTokenPorts & {
  readonly tenants: TenantDirectory
  readonly denials: DenialQueue
  readonly rates: RateLimiter
  readonly ids: Ids
  readonly clock: Clock
  readonly guards: ProofGuards
}

export type Caller = LiveToken & {
  readonly config: TenantConfig
  /** What it orders carries: whoever carries it out judges it anew. */
  readonly orderProof: Extract<OrderProof, { kind: 'token' }>
}

/**
 * Does what the call asks as its caller. `needs`: the scope without which it is refused; null: any live token of the tenant,
 * whatever it is for. Throws Unavailable.
 */
export const asCaller = async <T>(
  ports: CallerPorts,
  call: Call,
  needs: OwnScope | null,
  act: (caller: Caller) => Promise<Result<T>>,
): Promise<CallAnswer<T>> => {
  const config = ports.tenants.peek(call.tenant) ?? (await ports.tenants.current(call.tenant))
  if (config === null) return { kind: 'unknown_tenant' }
  const caller = await authorize(ports, call, config, needs)
  const acted = caller.ok ? await act(caller.value) : caller
  if (acted.ok) return { kind: 'done', value: acted.value }
  return refused(ports, call, config, acted.refusal, caller.ok)
}

/** Detail of a refusal: a live token of the tenant that is for somebody else. */
export const NOT_FOR_US = { problem: 'audience' } as const

// RFC 6750 §2.1, RFC 9449 §7.1. The scheme is compared without case (RFC 9110 §11.1).
const CREDENTIALS = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*) *$/i

const authorize = async (
  ports: CallerPorts,
  call: Call,
  config: TenantConfig,
  needs: OwnScope | null,
): Promise<Result<Caller>> => {
  const { authorization, source } = call
  // Charged before anything is verified: a flood of bad tokens costs its source, never a tenant.
  const taken = await ports.rates.take(`caller ${source}`, LIMITS.callerSourceRate)
  if (!taken.allowed) return refuse('rate_limited_source', { retryAfterSeconds: taken.retryAfterSeconds })
  if (authorization === undefined) return refuse('caller_missing')
  const [, scheme, raw] = CREDENTIALS.exec(authorization) ?? []
  if (scheme === undefined || raw === undefined) return refuse('caller_invalid', { problem: 'scheme' })
  const live = await verifyOwnToken(ports, config, raw, { atSeconds: ports.clock.nowSeconds() })
  if (!live.ok) return refuse('caller_invalid', { problem: live.refusal.kind, ...live.refusal.detail })
  const possession = await checkPossession(ports, call, config, live.value, scheme.toLowerCase() === 'dpop')
  if (!possession.ok) return possession
  if (needs !== null && !isForUs(live.value.token, config.issuerUrl)) return refuse('caller_invalid', NOT_FOR_US)
  if (needs !== null && !hasOwnScope(live.value.token, needs, config.issuerUrl))
    return refuse('caller_rights', { jti: live.value.token.jti, needs })
  const dpop = live.value.token.jkt === null || call.dpop === undefined ? {} : { dpop: call.dpop }
  return ok({ ...live.value, config, orderProof: { kind: 'token', token: raw, ...dpop } })
}

/** A bound token with a proof of its own for this very call, or an unbound one without: never one as the other (RFC 9449 §7.2). */
const checkPossession = async (
  ports: CallerPorts,
  { dpop, method, path }: Call,
  { tenant, issuerUrl }: TenantConfig,
  { raw, token: { jkt } }: LiveToken,
  isSchemeDpop: boolean,
): Promise<Result<null>> => {
  const no = (problem: string) => refuse('caller_invalid', { problem })
  if (jkt === null) return isSchemeDpop ? no('not_bound') : ok(null)
  if (!isSchemeDpop || dpop === undefined) return no('proof_required')
  const sent = { proof: dpop, method, url: issuerUrl + path }
  const proof = checkTokenProof(ports, sent, { raw, jkt }, ports.clock.nowSeconds())
  if (!proof.ok) return no(`proof_${String(proof.refusal.detail?.['problem'])}`)
  // Last: only who has token and key makes us write.
  return (await ports.guards.spend(tenant, proof.value.guard)) ? ok(null) : no('proof_replayed')
}

const refused = (
  ports: CallerPorts,
  { tenant, source, traceId }: Call,
  config: TenantConfig,
  refusal: Refusal,
  verified: boolean,
): CallAnswer<never> => {
  const decisionId = ports.ids.decisionId()
  const denial: Denial = {
    v: 1,
    decisionId,
    tenant,
    configVersion: config.version,
    atSeconds: ports.clock.nowSeconds(),
    traceId,
    refusal,
    verified,
    source,
    issuerName: null,
    evidence: null,
    wid: null,
    verdicts: null,
    target: null,
    firstDecisionId: null,
  }
  ports.denials.send(denial)
  const wait = refusal.detail?.['retryAfterSeconds']
  return {
    kind: 'refused',
    decisionId,
    refusal,
    issuerUrl: config.issuerUrl,
    retryAfterSeconds: typeof wait === 'number' ? wait : 2,
  }
}
