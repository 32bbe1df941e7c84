// POST /t/{tenant}/introspect (RFC 7662) and /t/{tenant}/revoke (RFC 7009): HTTP in, HTTP out. Nothing is decided here.
import type { Call, CallAnswer } from '../domain/call.ts'
import type { OwnToken } from '../domain/own-token.ts'
import { introspectionBody } from '../wire/introspection.ts'
import { parseTokenForm } from '../wire/token-form.ts'
import { callOf, callResponse } from './call-response.ts'
import { bodyOf, isTooLarge, notAForm, tooLarge } from './form-request.ts'
import { type HttpHandler, type HttpResponse, jsonResponse, notFound, tenantOfPath } from './http.ts'

type Asked = Call & { readonly token: string | null }

type FormEndpoint<T> = {
  /** The scope a caller is told it lacks. */
  readonly scope: string
  readonly act: (asked: Asked) => Promise<CallAnswer<T>>
  readonly render: (value: T) => HttpResponse
  readonly newTraceId: () => string
}

const tokenFormEndpoint =
  <T>({ scope, act, render, newTraceId }: FormEndpoint<T>): HttpHandler =>
  async (event) => {
    const tenant = tenantOfPath(event.rawPath)
    if (tenant === null) return notFound()
    const unfit = notAForm(event)
    if (unfit !== null) return unfit
    const body = bodyOf(event)
    if (isTooLarge(event, body.length)) return tooLarge()
    const answer = await act({ ...callOf(event, tenant, newTraceId), token: parseTokenForm(body) })
    return callResponse(answer, scope, render, { isClientAuth: true })
  }

type Options<T> = Pick<FormEndpoint<T>, 'act' | 'newTraceId'>

export const introspectEndpoint = (options: Options<OwnToken | null>): HttpHandler =>
  tokenFormEndpoint({
    ...options,
    scope: 'introspect',
    render: (token) => jsonResponse(200, introspectionBody(token)),
  })

/** Whatever the token was (RFC 7009 §2.2). */
const REVOKED: HttpResponse = { statusCode: 200, headers: { 'cache-control': 'no-store' }, body: '' }

export const revokeEndpoint = (options: Options<null>): HttpHandler =>
  tokenFormEndpoint({ ...options, scope: 'revoke', render: () => REVOKED })
