// What a call to a tenant's own endpoints carries, and how its refusals look: RFC 6750 §3, with the pointer of RFC 9728 §5.1.
// Constant, whatever was wrong with the caller's token or proof.
import type { Call, CallAnswer } from '../domain/call.ts'
import { DPOP_ALGORITHMS } from '../domain/dpop.ts'
import { sourceKey } from '../domain/source-key.ts'
import { traceIdOf } from '../domain/trace.ts'
import { resourceMetadataUrl } from '../wire/metadata.ts'
import { errorBody, oauthErrorOf } from '../wire/oauth-error.ts'
import { jitter } from './form-request.ts'
import { type HttpEvent, type HttpResponse, jsonResponse, notFound } from './http.ts'

export const callOf = (event: HttpEvent, tenant: string, newTraceId: () => string): Call => ({
  tenant,
  authorization: event.headers['authorization'],
  dpop: event.headers['dpop'],
  method: event.requestContext.http.method,
  path: event.rawPath.slice(`/t/${tenant}`.length),
  traceId: traceIdOf(event.headers['traceparent']) ?? newTraceId(),
  source: sourceKey(event.requestContext.http.sourceIp),
})

/**
 * `scope`: what the endpoint needs, for a caller whose token lacks it. `isClientAuth`: an OAuth endpoint whose client authenticates by
 * the token, so that the body says invalid_client (RFC 6749 §5.2) while the challenge is that of its scheme (RFC 7662 §2.3, RFC 6750 §3).
 */
export const callResponse = <T>(
  answer: CallAnswer<T>,
  scope: string,
  render: (value: T) => HttpResponse,
  { isClientAuth = false }: { readonly isClientAuth?: boolean } = {},
): HttpResponse => {
  if (answer.kind === 'unknown_tenant') return notFound()
  if (answer.kind === 'done') return render(answer.value)
  const error = oauthErrorOf(answer.refusal, 'token-exchange', answer.retryAfterSeconds)
  const said = isClientAuth && error.status === 401 ? { ...error, error: 'invalid_client' } : error
  const body = errorBody(said, answer.decisionId)
  if (error.status === 401 || error.status === 403) {
    // A call without any credentials is told where to get some, and of no error (RFC 6750 §3.1).
    const code = answer.refusal.kind === 'caller_missing' ? '' : `error="${error.error}", `
    const needed = error.status === 403 ? `scope="${scope}", ` : ''
    const challenge = `Bearer ${code}${needed}resource_metadata="${resourceMetadataUrl(answer.issuerUrl)}"`
    const bound = error.status === 401 ? `, DPoP algs="${DPOP_ALGORITHMS.join(' ')}"` : ''
    return jsonResponse(error.status, body, { 'www-authenticate': challenge + bound })
  }
  return jsonResponse(
    error.status,
    body,
    error.retryAfterSeconds === null ? {} : { 'retry-after': jitter(error.retryAfterSeconds) },
  )
}
