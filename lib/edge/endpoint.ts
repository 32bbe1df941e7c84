// The wrapper of every HTTP handler: nothing that goes wrong inside reaches a caller or, with its data, a log. An outage is
// 503 with Retry-After, a bug is 500, both constant.
import type { Logger } from '@aws-lambda-powertools/logger'
import middy from '@middy/core'
import { Unavailable } from '../domain/unavailable.ts'
import { placeOf } from './failure-place.ts'
import { comeBack } from './form-request.ts'
import { type HttpEvent, type HttpHandler, type HttpResponse, jsonResponse } from './http.ts'

/** Only the name and place of an error are logged: its message may hold what a caller sent (attacks §2 L2). */
type ErrorLog = Pick<Logger, 'error'>

/** `settle`: what must be durable before the answer goes out, since nothing runs on after it on Lambda. Must not throw. */
export const endpoint = (
  name: string,
  handler: HttpHandler,
  log: ErrorLog,
  settle?: () => Promise<void>,
): HttpHandler => {
  const wrapped = middy<HttpEvent, HttpResponse>()
    .onError((request) => {
      const { error } = request
      if (error instanceof Unavailable) {
        request.response = unavailable(error)
        return
      }
      log.error('unexpected error', { function: name, error: placeOf(error) })
      request.response = jsonResponse(500, { error: 'server_error', error_description: 'An internal error occurred' })
    })
    .handler(handler)
  if (settle === undefined) return (event) => wrapped(event, undefined as never)
  return async (event) => {
    const response = await wrapped(event, undefined as never)
    await settle()
    return response
  }
}

const unavailable = (error: Unavailable): HttpResponse =>
  comeBack(503, 'The service cannot answer now', String(error.retryAfterSeconds))
