// What HTTP owns of a request, for every endpoint: method, type and size, and how it refuses them.
import { LIMITS } from '../domain/limits.ts'
import { ERROR_REFERENCE } from '../wire/oauth-error.ts'
import { type HttpEvent, type HttpResponse, jsonResponse } from './http.ts'

/** A type, in UTF-8 where it says so. A value in quotes is the same value, and a parameter may be empty (RFC 9110 §5.6.6). */
const inUtf8 = (type: string): RegExp =>
  new RegExp(`^${type}(?:[ \\t]*;(?:[ \\t]*charset=(?:utf-8|"utf-8"))?)*[ \\t]*$`, 'i')

const FORM = inUtf8('application/x-www-form-urlencoded')
const JSON_TYPE = inUtf8('application/json')

export const isJson = ({ headers }: Pick<HttpEvent, 'headers'>): boolean =>
  JSON_TYPE.test(headers['content-type'] ?? '')

/** Null: a form, as far as its headers say. */
export const notAForm = (event: HttpEvent): HttpResponse | null => {
  if (event.requestContext.http.method !== 'POST') return onlyPost()
  return FORM.test(event.headers['content-type'] ?? '')
    ? null
    : httpError(415, 'unsupported_media_type', 'Send application/x-www-form-urlencoded')
}

/** Where a host stopped reading it says so; where it did not, `bytes` do. */
export const isTooLarge = ({ isBodyTooLarge }: HttpEvent, bytes: number): boolean =>
  isBodyTooLarge === true || bytes > LIMITS.bodyBytesMax

export const onlyRead = (): HttpResponse =>
  httpError(405, 'method_not_allowed', 'Only GET and HEAD are served here', { allow: 'GET, HEAD' })

export const onlyPost = (): HttpResponse =>
  httpError(405, 'method_not_allowed', 'Only POST is served here', { allow: 'POST' })

export const notJson = (): HttpResponse => httpError(415, 'unsupported_media_type', 'Send application/json')

export const malformedHttp = (): HttpResponse => httpError(400, 'malformed_http', 'This is not an HTTP/1.1 request')

export const tooLarge = (): HttpResponse => httpError(413, 'content_too_large', 'The body is larger than the limit')

export const bodyOf = (event: HttpEvent): string => {
  if (event.body === undefined) return ''
  // Latin-1 on purpose: a form is ASCII, and any other byte stays visible to the strict parser, which refuses it.
  return event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString('latin1') : event.body
}

/** Retry-After with jitter (attacks §6 e): a herd that was refused together must not come back together. */
export const jitter = (seconds: number): string => String(Math.max(1, Math.ceil(seconds * (1 + Math.random() / 2))))

/** What HTTP itself refuses; `code` is the anchor of its documentation, and of a method its error. */
export const httpError = (
  status: number,
  code: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => {
  const body = {
    error: status === 405 ? code : 'invalid_request',
    error_description: description,
    error_uri: `${ERROR_REFERENCE}#${code}`,
  }
  return jsonResponse(status, body, headers)
}

/** What is not answered now, and is no decision: the same JSON whoever says it (design §4). */
export const comeBack = (status: 429 | 503, description: string, retryAfter: string): HttpResponse =>
  jsonResponse(
    status,
    {
      error: 'temporarily_unavailable',
      error_description: description,
      error_uri: `${ERROR_REFERENCE}#temporarily_unavailable`,
    },
    { 'retry-after': retryAfter },
  )

export const tooMany = (waitSeconds: number): HttpResponse => comeBack(429, 'Too many requests', jitter(waitSeconds))
