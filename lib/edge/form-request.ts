// What HTTP owns of a form that is posted, for every endpoint that takes one: method, type, and size.
import { ERROR_REFERENCE } from '../wire/oauth-error.ts'
import { type HttpEvent, type HttpResponse, jsonResponse } from './http.ts'

const FORM = /^application\/x-www-form-urlencoded(?:\s*;\s*charset=utf-8)?\s*$/i

/** Null: a form, as far as its headers say. */
export const notAForm = (event: HttpEvent): HttpResponse | null => {
  if (event.requestContext.http.method !== 'POST')
    return plainError(405, 'method_not_allowed', 'Only POST is served here', { allow: 'POST' })
  return FORM.test(event.headers['content-type'] ?? '')
    ? null
    : plainError(415, 'unsupported_media_type', 'Send application/x-www-form-urlencoded')
}

export const tooLarge = (): HttpResponse => plainError(413, 'content_too_large', 'The body is larger than the limit')

export const bodyOf = (event: HttpEvent): string => {
  if (event.body === undefined) return ''
  // Latin-1 on purpose: a form is ASCII, and any other byte stays visible to the strict parser, which refuses it.
  return event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString('latin1') : event.body
}

/** Retry-After with jitter (attacks §6 e): a herd that was refused together must not come back together. */
export const jitter = (seconds: number): string => String(Math.max(1, Math.ceil(seconds * (1 + Math.random() / 2))))

const plainError = (
  status: number,
  error: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => {
  const body = {
    error: status === 415 || status === 413 ? 'invalid_request' : error,
    error_description: description,
    error_uri: `${ERROR_REFERENCE}#${error}`,
  }
  return jsonResponse(status, body, headers)
}
