// The exchange (RFC 8693 §2.1, RFC 7523 §2.1; design §3): a workload's evidence becomes a short-lived, scoped token. This is
// `attest`, the front door: it parses hostile input, has no key, no outbound network, and no right to record a grant. What it
// verifies, mint verifies again from its own reads. Read lib/flows/mint-credential.ts next.
import type { Denial } from '../domain/grant-record.ts'
import { LIMITS } from '../domain/limits.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { TenantConfig } from '../domain/tenant-config.ts'
import type { GrantType, TokenRequest } from '../domain/token-request.ts'
import { Unavailable } from '../domain/unavailable.ts'
import type { Clock } from '../ports/clock.ts'
import type { DenialQueue } from '../ports/decisions.ts'
import type { ExchangeMeter } from '../ports/exchange-meter.ts'
import type { DenialContext, IssuedCredential, Mint } from '../ports/mint.ts'
import type { RateLimiter, Taken } from '../ports/rate-limiter.ts'
import type { Ids } from '../ports/system.ts'
import type { FoundTenants, TenantDirectory } from '../ports/tenants.ts'
import type { Turns } from '../ports/turns.ts'
import { type Attested, type AttestPorts, attestEvidence, contextOfAttested } from './attest-evidence.ts'

export type ExchangePorts = AttestPorts & {
  readonly tenants: TenantDirectory & FoundTenants
  readonly mint: Mint
  readonly denials: DenialQueue
  readonly rates: RateLimiter
  readonly ids: Ids
  readonly clock: Clock
  readonly turns: Turns
  /** Left out: nothing is counted. */
  readonly meter?: ExchangeMeter | undefined
}

export type ExchangeRequest = {
  readonly tenant: string
  /** Parsed, or why it could not be: even a malformed request gets a decision id and a record. */
  readonly token:
    | { readonly ok: true; readonly value: TokenRequest }
    | { readonly ok: false; readonly refusal: Refusal }
  readonly dpop: { readonly proof: string; readonly method: string; readonly url: string } | null
  readonly traceId: string
  readonly source: string
}

export type ExchangeAnswer =
  | { readonly kind: 'unknown_tenant' }
  | { readonly kind: 'issued'; readonly decisionId: string; readonly credential: IssuedCredential }
  | {
      readonly kind: 'refused'
      readonly decisionId: string
      readonly refusal: Refusal
      readonly grantType: GrantType
      readonly retryAfterSeconds: number
    }

const NOTHING_KNOWN: DenialContext = {
  configVersion: null,
  verified: false,
  issuerName: null,
  evidence: null,
  wid: null,
  verdicts: null,
  firstDecisionId: null,
}

type Refused = {
  readonly ok: false
  readonly refusal: Refusal
  readonly context: DenialContext
  readonly retryAfterSeconds?: number
}

/** Never throws for what a caller or a dependency can cause; every refusal is recorded before it is returned. */
export const exchangeToken = async (ports: ExchangePorts, request: ExchangeRequest): Promise<ExchangeAnswer> => {
  const decisionId = ports.ids.decisionId()
  const { tenant, source } = request
  let isFound = ports.tenants.wasFound(tenant)
  try {
    // A name in a path costs nothing to make up: only tenants that are there take turns (L5), or a thousand invented ones
    // would have a turn each for every one of a true one. Within a tenant its sources take turns.
    const config = ports.tenants.peek(tenant) ?? (await ports.tenants.current(tenant))
    if (config === null) return { kind: 'unknown_tenant' }
    isFound = true
    const entered = ports.turns.enter(tenant, source)
    if (!(entered instanceof Promise ? await entered : entered))
      return deny(ports, request, decisionId, { ok: false, refusal: { kind: 'overloaded' }, context: NOTHING_KNOWN })
    try {
      const outcome = await attestAndMint(ports, request, config, decisionId)
      return outcome.ok
        ? { kind: 'issued', decisionId, credential: outcome.credential }
        : deny(ports, request, decisionId, outcome)
    } finally {
      ports.turns.leave(tenant)
    }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    const refusal: Refusal = { kind: error.kind }
    // A name that cannot be looked up now may be made up: it has no record, and no log, of its own.
    return deny(ports, isFound ? request : { ...request, tenant: '' }, decisionId, {
      ok: false,
      refusal,
      context: NOTHING_KNOWN,
      retryAfterSeconds: error.retryAfterSeconds,
    })
  }
}

/** What is asked, as far as it is known before anything of it is read. */
export type UnreadRequest = Pick<ExchangeRequest, 'tenant' | 'traceId' | 'source'>
export type UnreadRefusal = 'rate_limited_source' | 'rate_limited_tenant'

/**
 * Refuses, unread, what comes from a source over its rate (L1), or what its tenant's rate is known to refuse. Nothing of it is believed,
 * not even that it is the tenant's; it has its decision and its record all the same, or counts would not add up.
 */
export const refuseUnread = (
  ports: Pick<ExchangePorts, 'denials' | 'ids' | 'clock'>,
  request: UnreadRequest,
  kind: UnreadRefusal,
  retryAfterSeconds: number,
): ExchangeAnswer & { readonly kind: 'refused' } => {
  const refusal: Refusal = { kind, detail: { retryAfterSeconds } }
  const unread = { ...request, token: { ok: false as const, refusal }, dpop: null }
  return deny(ports, unread, ports.ids.decisionId(), refused(refusal, NOTHING_KNOWN))
}

/** `config` may be as old as the request waited: mint reads its own, and what moved meanwhile is judged anew there. */
const attestAndMint = async (
  ports: ExchangePorts,
  request: ExchangeRequest,
  config: TenantConfig,
  decisionId: string,
) => {
  // 1. The tenant is the one of the path; the evidence must confirm it (audience, tenancy claim) or is refused (P3).
  if (!request.token.ok) return refused(request.token.refusal, { ...NOTHING_KNOWN, configVersion: config.version })
  const { value: token } = request.token

  // 2. Verify the evidence and normalize it. Until a signature verifies only the source is charged, never a tenant (L2).
  const verified = await attestEvidence(ports, {
    config,
    token: token.evidence,
    nowSeconds: ports.clock.nowSeconds(),
    admit: (issuer) => {
      const registered = issuer === null ? 'unknown' : `${request.tenant}/${issuer}`
      return takeRate(
        ports,
        `source-issuer ${request.source} ${registered}`,
        LIMITS.sourceIssuerRate,
        'rate_limited_issuer',
      )
    },
  })
  if (!verified.ok) return verified

  // 3. The workload is known: now it, and its tenant, have limits of their own (L3, L4).
  const overLimit = await takeVerifiedRates(ports, verified.attested)
  if (overLimit) return refused(overLimit, contextOfAttested(verified.attested))

  // 4. mint verifies again, decides, records, looks for revocations, signs. It is asked even when no grant matches: whether
  //    the evidence was spent must be told before anything is told about targets.
  const minted = await ports.mint.mint({
    tenant: request.tenant,
    grantType: token.grantType,
    evidence: token.evidence,
    target: token.target,
    idempotencyKey: token.idempotencyKey,
    dpop: request.dpop,
    decisionId,
    traceId: request.traceId,
    source: request.source,
    attested: verified.attested,
  })
  if (minted.ok && ports.meter)
    ports.meter.issued(request.tenant, verified.attested.facts.issuer.provider, token.grantType, minted.credential)
  return minted
}

const refused = (refusal: Refusal, context: DenialContext): Refused => ({ ok: false, refusal, context })

type RateRefusal = 'rate_limited_issuer' | 'rate_limited_subject' | 'rate_limited_tenant'

const takeRate = (
  ports: ExchangePorts,
  bucket: string,
  rate: readonly [number, number],
  kind: RateRefusal,
): Promise<Refusal | null> | Refusal | null => {
  const judge = ({ allowed, retryAfterSeconds }: Taken): Refusal | null =>
    allowed ? null : { kind, detail: { retryAfterSeconds } }
  const taken = ports.rates.take(bucket, rate)
  return taken instanceof Promise ? taken.then(judge) : judge(taken)
}

/** The day's budget is a bucket like the others: it holds a day's worth and refills over the day. */
const DAILY: readonly [number, number] = [LIMITS.tenantPerDay / 86_400, LIMITS.tenantPerDay]

const takeVerifiedRates = async (ports: ExchangePorts, { facts }: Attested): Promise<Refusal | null> => {
  const { tenant } = facts.config
  const subject = `subject ${tenant} ${facts.issuer.name} ${String(facts.wid['project.id'] ?? facts.evidence.sub)}`
  for (const [bucket, rate, kind] of [
    [subject, LIMITS.subjectRate, 'rate_limited_subject'],
    [`tenant ${tenant}`, LIMITS.tenantRate, 'rate_limited_tenant'],
    [`day ${tenant}`, DAILY, 'rate_limited_tenant'],
  ] as const) {
    const taken = takeRate(ports, bucket, rate, kind)
    const refusal = taken instanceof Promise ? await taken : taken
    if (refusal !== null) return refusal
  }
  return null
}

/** Records the refusal in the queue of denials and makes it an answer. Our own outages are records too: they explain. */
const deny = (
  ports: Pick<ExchangePorts, 'denials' | 'clock'>,
  request: ExchangeRequest,
  decisionId: string,
  { refusal, context, retryAfterSeconds }: Refused,
): ExchangeAnswer & { readonly kind: 'refused' } => {
  const token = request.token.ok ? request.token.value : null
  const denial: Denial = {
    v: 1,
    decisionId,
    tenant: request.tenant,
    atSeconds: ports.clock.nowSeconds(),
    traceId: request.traceId,
    refusal,
    source: request.source,
    target: token && {
      type: token.target.type ?? '',
      audience: token.target.audiences.join(' ').slice(0, 512) || null,
      scope: token.target.scope?.slice(0, 512) ?? null,
      grant: token.target.grant?.slice(0, 128) ?? null,
    },
    ...context,
  }
  ports.denials.send(denial)
  const wait = refusal.detail?.['retryAfterSeconds']
  return {
    kind: 'refused',
    decisionId,
    refusal,
    grantType: token?.grantType ?? 'token-exchange',
    retryAfterSeconds: retryAfterSeconds ?? (typeof wait === 'number' ? wait : 2),
  }
}
