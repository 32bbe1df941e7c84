// POST /t/{tenant}/events: HTTP in, HTTP out, for SETs (RFC 8935 §2) and webhooks of GitHub. 202 with an empty body says that
// the event is not lost, and nothing more. Nothing is decided here.
import type { Logger } from '@aws-lambda-powertools/logger'
import type { Refusal } from '../domain/refusal.ts'
import { sourceKey } from '../domain/source-key.ts'
import { decodeUtf8 } from '../domain/utf8.ts'
import { setErrorOf } from '../wire/set-error.ts'
import { isTooLarge } from './form-request.ts'
import { type HttpEvent, type HttpHandler, type HttpResponse, jsonResponse, notFound, tenantOfPath } from './http.ts'

type Received =
  | { readonly kind: 'unknown_tenant' }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly source: string | null }

export type EventsEndpointOptions = {
  readonly receiveSet: (pushed: {
    readonly tenant: string
    readonly set: string
    readonly authorization: string | undefined
  }) => Promise<Received>
  readonly receiveGithubAlert: (pushed: {
    readonly tenant: string
    readonly body: string
    readonly signature: string
  }) => Promise<Received>
  readonly receiveLeaks: (pushed: {
    readonly tenant: string
    readonly body: Uint8Array
    readonly keyId: string
    readonly signature: string
  }) => Promise<Received>
  /** Before anything is parsed: seconds to wait, or null to go on. */
  readonly admit: (source: string) => Promise<number | null> | number | null
  readonly log: Pick<Logger, 'warn'>
}

const SET_TYPE = /^application\/secevent\+jwt(?:\s*;.*)?$/i
const JSON_TYPE = /^application\/json(?:\s*;.*)?$/i

export const eventsEndpoint =
  (options: EventsEndpointOptions): HttpHandler =>
  async (event) => {
    const tenant = tenantOfPath(event.rawPath)
    if (tenant === null) return notFound()
    const { method, sourceIp } = event.requestContext.http
    if (method !== 'POST') return error(405, 'invalid_request', 'Only POST is served here', { allow: 'POST' })
    const isSet = SET_TYPE.test(event.headers['content-type'] ?? '')
    if (!isSet && !isWebhook(event.headers)) return error(415, 'invalid_request', 'Send application/secevent+jwt')
    const waitSeconds = await options.admit(sourceKey(sourceIp))
    if (waitSeconds !== null)
      return error(429, 'invalid_request', 'Too many requests', { 'retry-after': String(waitSeconds) })
    const bytes = bytesOf(event)
    if (isTooLarge(event, bytes.length)) return error(413, 'invalid_request', 'The body is larger than the limit')

    const received = await (isSet ? pushSet(options, tenant, event, bytes) : pushJson(options, tenant, event, bytes))
    if (received.kind === 'refused') {
      const { refusal, source } = received
      options.log.warn('a security event was refused', { tenant, source, refusal: refusal.kind })
    }
    return render(received)
  }

const PARTNER_SIGNATURE = 'github-public-key-signature'

/** GitHub names its event in a header; what it is, and whether it is authentic, only the signed body says. */
const isWebhook = (headers: HttpEvent['headers']): boolean =>
  JSON_TYPE.test(headers['content-type'] ?? '') &&
  (headers['x-github-event'] !== undefined || headers[PARTNER_SIGNATURE] !== undefined)

const pushSet = (options: EventsEndpointOptions, tenant: string, { headers }: HttpEvent, bytes: Buffer) =>
  options.receiveSet({ tenant, set: bytes.toString('latin1'), authorization: headers['authorization'] })

const pushJson = async (
  options: EventsEndpointOptions,
  tenant: string,
  { headers }: HttpEvent,
  bytes: Buffer,
): Promise<Received> => {
  const signature = headers[PARTNER_SIGNATURE]
  if (signature !== undefined)
    return options.receiveLeaks({
      tenant,
      body: bytes,
      keyId: headers['github-public-key-identifier'] ?? '',
      signature,
    })
  const body = decodeUtf8(new Uint8Array(bytes))
  if (body === null) return { kind: 'refused', refusal: { kind: 'utf8_invalid' }, source: null }
  return options.receiveGithubAlert({ tenant, body, signature: headers['x-hub-signature-256'] ?? '' })
}

/** As a gateway hands it on: text is UTF-8, the rest is base64. */
const bytesOf = ({ body = '', isBase64Encoded }: HttpEvent): Buffer =>
  Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')

const ACCEPTED: HttpResponse = { statusCode: 202, headers: { 'cache-control': 'no-store' }, body: '' }

const render = (received: Received): HttpResponse => {
  switch (received.kind) {
    case 'unknown_tenant':
      return notFound()
    case 'accepted':
      return ACCEPTED
    case 'refused': {
      const { status, err, description } = setErrorOf(received.refusal.kind)
      return error(status, err, description, status === 401 ? { 'www-authenticate': 'Bearer' } : {})
    }
  }
}

const error = (
  status: number,
  err: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => jsonResponse(status, { err, description }, { 'content-language': 'en', ...headers })
