// The HTTP shapes every handler speaks: the part of API Gateway's payload 2.0 that we read, so that the same handler runs
// on Lambda and inside the embedded server. Header names are lower case; repeated headers are joined by commas.
import { TENANT_NAME } from '../domain/names.ts'

export type HttpEvent = {
  readonly rawPath: string
  readonly rawQueryString?: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly requestContext: { readonly http: { readonly method: string; readonly sourceIp: string } }
  readonly body?: string
  readonly isBase64Encoded?: boolean
  /** The host read no further than the limit; there is no body here. */
  readonly isBodyTooLarge?: boolean
}

export type HttpResponse = {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The body is bytes, in base64. */
  readonly isBase64Encoded?: boolean
  /** A host that has connections of its own keeps the answer back a while: the client has been told to wait, and does not. */
  readonly isHeld?: boolean
}

export type HttpHandler = (event: HttpEvent) => Promise<HttpResponse>

/** What is known of a request before its body is read. */
export type HttpHead = Pick<HttpEvent, 'rawPath' | 'headers' | 'requestContext'>

/** Asked by a host that has connections of its own, before it reads a body: an answer, or null to read on. */
export type HttpDoor = (head: HttpHead) => HttpResponse | null

/** JSON that no cache may keep: every answer that is not a public document. */
export const jsonResponse = (
  statusCode: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(body),
})

/** No path, tenant or id of the caller's. */
export const notFound = (): HttpResponse => jsonResponse(404, { error: 'not_found' })

const TENANT_PATH = new RegExp(`^/t/(${TENANT_NAME})(?:/|$)`)

/** The tenant named by `/t/{tenant}/…`, or null. The name is only looked up, never trusted. */
export const tenantOfPath = (rawPath: string): string | null => TENANT_PATH.exec(rawPath)?.[1] ?? null
