// `/t/{tenant}/admin/…`: HTTP in, HTTP out. 202 says that an order is accepted, not that it is in force: `orders/{id}` says that.
import type { AdminRequest } from '../domain/admin-request.ts'
import type { Call, CallAnswer } from '../domain/call.ts'
import { type AdminRoute, adminRoutes } from '../wire/admin-request.ts'
import { ERROR_REFERENCE } from '../wire/oauth-error.ts'
import { callOf, callResponse } from './call-response.ts'
import { httpError, isJson, isTooLarge, notJson, tooLarge } from './form-request.ts'
import { type HttpEvent, type HttpHandler, type HttpResponse, jsonResponse, notFound, tenantOfPath } from './http.ts'

/** `says`: of a refusal, constant, for the operator. */
type Answer = { readonly kind: string; readonly refusal?: string; readonly says?: string }

export type AdminEndpointOptions = {
  readonly act: (call: Call, asked: AdminRequest | null, scope: AdminRoute['scope']) => Promise<CallAnswer<Answer>>
  readonly newTraceId: () => string
}

export const adminEndpoint =
  ({ act, newTraceId }: AdminEndpointOptions): HttpHandler =>
  async (event) => {
    const tenant = tenantOfPath(event.rawPath)
    const routes = tenant === null ? [] : adminRoutes(event.rawPath.slice(`/t/${tenant}/admin/`.length))
    if (tenant === null || routes.length === 0) return notFound()
    const { method } = event.requestContext.http
    const route = routes.find((served) => served.method === method)
    if (route === undefined)
      return httpError(405, 'method_not_allowed', 'This method is not served here', {
        allow: routes.map((served) => served.method).join(', '),
      })
    const read = bodyOf(event, route)
    if (read instanceof Error) return tooLarge()
    if (read === undefined) return notJson()
    const answer = await act(callOf(event, tenant, newTraceId), read, route.scope)
    return callResponse(answer, route.scope, render)
  }

/** Null: not what the route takes, which only a caller that may call it is told. Undefined: another media type. */
const bodyOf = (event: HttpEvent, { method, read }: AdminRoute): AdminRequest | null | undefined | Error => {
  if (method === 'GET') return read(event.rawQueryString ?? '')
  if (!isJson(event)) return undefined
  const body = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64').toString('utf8') : (event.body ?? '')
  return isTooLarge(event, body.length) ? new Error('too large') : read(body)
}

const STATUS: Readonly<Record<string, number>> = {
  accepted: 202,
  lift_accepted: 202,
  errand_accepted: 202,
  not_found: 404,
}

const render = (answer: Answer): HttpResponse => {
  if (answer.kind === 'not_found') return notFound()
  if (answer.refusal !== undefined) {
    const problem = {
      error: 'invalid_request',
      error_description: answer.says,
      error_uri: `${ERROR_REFERENCE}#invalid_request`,
    }
    return jsonResponse(400, { ...problem, refusal: answer.refusal })
  }
  return jsonResponse(STATUS[answer.kind] ?? 200, answer)
}
