// POST /t/{tenant}/token: HTTP in, HTTP out. Checks what HTTP owns (method, type, size, encoding), hands the parsed form to
// the exchange, and renders its answer with the one error mapper. Nothing is decided here.
import { isOfLoad, type Refusal } from '../domain/refusal.ts'
import { sourceKey } from '../domain/source-key.ts'
import type { GrantType, TokenRequest } from '../domain/token-request.ts'
import { traceIdOf } from '../domain/trace.ts'
import { errorBody, oauthErrorOf } from '../wire/oauth-error.ts'
import { parseTokenRequest } from '../wire/token-request.ts'
import { bodyOf, isTooLarge, jitter, notAForm, tooLarge, tooMany } from './form-request.ts'
import { type HttpEvent, type HttpHandler, type HttpResponse, jsonResponse, tenantOfPath } from './http.ts'

export type Exchanged =
  | { readonly kind: 'unknown_tenant' }
  | {
      readonly kind: 'issued'
      readonly decisionId: string
      readonly credential: {
        readonly accessToken: string
        readonly issuedTokenType: string
        readonly tokenType: string
        readonly expiresInSeconds: number
        readonly scope: string
      }
    }
  | {
      readonly kind: 'refused'
      readonly decisionId: string
      readonly refusal: Refusal
      readonly grantType: GrantType
      readonly retryAfterSeconds: number
    }

export type Unread = { readonly tenant: string; readonly source: string; readonly traceId: string }

export type SourceLimit = {
  /** Seconds to wait, or null to go on. */
  readonly admit: (source: string) => Promise<number | null> | number | null
  /** Whether there is such a tenant: a name that is none has no records, or anybody could fill a disk, and make logs, with them. */
  readonly isTenant: (tenant: string) => Promise<boolean> | boolean
} & RefuseUnread

/** Of the port: whether there is such a tenant, as far as that is known, and by the store. */
type Tenants = {
  wasFound(tenant: string): boolean
  peek(tenant: string): object | null | undefined
  current(tenant: string): Promise<object | null>
}

/** The store is asked only where that is not known: whoever is over a limit may name what is none again and again. */
export const isThere =
  ({ wasFound, peek, current }: Tenants): SourceLimit['isTenant'] =>
  async (tenant) =>
    wasFound(tenant) || (peek(tenant) === undefined && (await current(tenant)) !== null)

export type RefuseUnread = {
  readonly refuseUnread: (
    request: Unread,
    kind: 'rate_limited_source' | 'rate_limited_tenant',
    retryAfterSeconds: number,
  ) => Exchanged & { readonly kind: 'refused' }
  readonly newTraceId: () => string
}

export type TokenEndpointOptions = {
  readonly exchange: (request: {
    readonly tenant: string
    readonly token:
      | { readonly ok: true; readonly value: TokenRequest }
      | { readonly ok: false; readonly refusal: Refusal }
    readonly dpop: { readonly proof: string; readonly method: string; readonly url: string } | null
    readonly traceId: string
    readonly source: string
  }) => Promise<Exchanged>
  /** Limit L1, before anything is parsed. Left out: the host's door has asked. */
  readonly sourceLimit?: SourceLimit
  /** Left out: no answer is held. Asked for what too much of it came: whether this source goes on asking all the same. */
  readonly isHasty?: (source: string, tenant: string, refusal: Refusal) => Promise<boolean> | boolean
  /** Told of a hasty source that its tenant's rate refused: for a while the door need not read what it sends for that tenant. */
  readonly pause?: (source: string, tenant: string) => void
  /** What issuers and proofs are about; never a Host header. */
  readonly baseUrl: string
  readonly newTraceId: () => string
}

export const tokenEndpoint =
  (options: TokenEndpointOptions): HttpHandler =>
  async (event) => {
    const tenant = tenantOfPath(event.rawPath)
    if (tenant === null) return notFound()
    const { sourceIp } = event.requestContext.http
    const unfit = notAForm(event)
    if (unfit !== null) return unfit
    const source = sourceKey(sourceIp)
    const { sourceLimit } = options
    const admitted = sourceLimit?.admit(source) ?? null
    const waitSeconds = admitted instanceof Promise ? await admitted : admitted
    if (sourceLimit !== undefined && waitSeconds !== null)
      return (await sourceLimit.isTenant(tenant))
        ? refuseSource(sourceLimit, { tenant, source, headers: event.headers }, waitSeconds)
        : tooMany(waitSeconds)
    const body = bodyOf(event)
    if (isTooLarge(event, body.length)) return tooLarge()

    const traceId = traceIdOf(event.headers['traceparent']) ?? options.newTraceId()
    const answer = await options.exchange({
      tenant,
      token: parseTokenRequest(body, event.headers['idempotency-key']),
      dpop: dpopOf(event, options.baseUrl),
      traceId,
      source,
    })
    const response = renderExchanged(answer)
    if (
      answer.kind !== 'refused' ||
      !isOfLoad(answer.refusal) ||
      !(await options.isHasty?.(source, tenant, answer.refusal))
    )
      return response
    // Of a workload's rate the door cannot tell; of the tenant's only what verified may tell it.
    if (answer.refusal.kind === 'rate_limited_tenant') options.pause?.(source, tenant)
    return { ...response, isHeld: true }
  }

export const renderExchanged = (answer: Exchanged): HttpResponse => {
  switch (answer.kind) {
    case 'unknown_tenant':
      return notFound()
    case 'issued':
      return jsonResponse(200, {
        access_token: answer.credential.accessToken,
        issued_token_type: answer.credential.issuedTokenType,
        token_type: answer.credential.tokenType,
        expires_in: answer.credential.expiresInSeconds,
        scope: answer.credential.scope,
        decision_id: answer.decisionId,
      })
    case 'refused': {
      const error = oauthErrorOf(answer.refusal, answer.grantType, answer.retryAfterSeconds)
      const retry = error.retryAfterSeconds === null ? {} : { 'retry-after': jitter(error.retryAfterSeconds) }
      return jsonResponse(error.status, errorBody(error, answer.decisionId), retry)
    }
  }
}

const dpopOf = (event: HttpEvent, baseUrl: string) => {
  const proof = event.headers['dpop']
  return proof === undefined
    ? null
    : { proof, method: event.requestContext.http.method, url: `${baseUrl}${event.rawPath}` }
}

export const notFound = (): HttpResponse => jsonResponse(404, { error: 'not_found' })

/** Limit L1: with a decision of the tenant that is named, which there is. */
export const refuseSource = (
  { refuseUnread, newTraceId }: RefuseUnread,
  { tenant, source, headers }: Omit<Unread, 'traceId'> & Pick<HttpEvent, 'headers'>,
  waitSeconds: number,
): HttpResponse => {
  const traceId = traceIdOf(headers['traceparent']) ?? newTraceId()
  return renderExchanged(refuseUnread({ tenant, source, traceId }, 'rate_limited_source', waitSeconds))
}
