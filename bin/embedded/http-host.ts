// The embedded HTTP server: node:http requests become the events the handlers take. Owns what a gateway would: routes, body
// size and time, who the client is, which Host may be named under --dev. No route is built from a header.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LIMITS } from '../../lib/domain/limits.ts'
import { TENANT_NAME, whole } from '../../lib/domain/names.ts'
import { comeBack, httpError, malformedHttp, onlyRead } from '../../lib/edge/form-request.ts'
import {
  type HttpDoor,
  type HttpHandler,
  type HttpHead,
  type HttpResponse,
  jsonResponse,
  notFound,
} from '../../lib/edge/http.ts'
import { answerConnectionErrors } from './connection-errors.ts'
import { createHeldAnswers, type HeldAnswers, type Timing } from './held-answers.ts'
import { createInTurns } from './in-turns.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { type Body, declaredLength, passOver, readBody, waitsToBeAsked } from './request-body.ts'

export type HostOptions = {
  readonly host: string
  readonly port: number
  /** Paths below a tenant, `token` for `/t/{tenant}/token`; one that ends with a slash is everything below it. */
  readonly tenantRoutes: Readonly<Record<string, HttpHandler>>
  /** Of these: what is asked before a body is read. */
  readonly tenantDoors?: Readonly<Record<string, HttpDoor>>
  /** RFC 8414 puts its well-known part before the path: `/.well-known/oauth-authorization-server/t/{tenant}`. */
  readonly rootRoutes: readonly { readonly prefix: string; readonly handler: HttpHandler }[]
  /** Path of the base URL, which a proxy in front may have taken away or not. */
  readonly basePath?: string
  /** Paths outside any tenant, as they are written. */
  readonly exactRoutes?: Readonly<Record<string, HttpHandler>>
  readonly isReady: () => boolean
  /** Under --dev: the only hosts that are answered, lower case, with port where it is named. */
  readonly hostAllowed: ((host: string | undefined) => boolean) | null
  /** The client behind trusted proxies, from the socket address and X-Forwarded-For. */
  readonly clientOf: (socketAddress: string, forwardedFor: string | undefined) => string
  /** Told the status of each request that is refused before an endpoint sees it. */
  readonly countRefused?: ((status: number) => void) | undefined
  /** What a refusal of a tenant's is answered after: its record is durable. Null: it is already. Must not throw. */
  readonly settled?: () => Promise<void> | null
  /** Of held answers. Left out: the process's own. */
  readonly timing?: Timing
}

/** A proxy's connections are those of all its clients: fewer of them are held. */
type Serving = HostOptions & {
  readonly held: { readonly own: HeldAnswers; readonly proxied: HeldAnswers }
  readonly inTurns: (work: () => void) => void
}

export type Host = { readonly port: number; readonly close: () => Promise<void> }

export const startHost = async (options: HostOptions): Promise<Host> => {
  const server = createServer({
    maxHeaderSize: LIMITS.headerBytesMax,
    headersTimeout: LIMITS.bodyDeadlineMs,
    requestTimeout: LIMITS.bodyDeadlineMs,
    connectionsCheckingInterval: 500,
    keepAliveTimeout: 65_000,
    // Refused below, in words.
    requireHostHeader: false,
  })
  answerConnectionErrors(server, (status) => options.countRefused?.(status))
  const held = {
    own: createHeldAnswers(LIMITS.heldAnswersMax, options.timing),
    proxied: createHeldAnswers(LIMITS.heldBehindProxyMax, options.timing),
  }
  const serving = { ...options, held, inTurns: createInTurns() }
  server.on(
    'request',
    oneAtATime((request, response) => serve(serving, request, response)),
  )
  // By itself node:http would ask for a body that is refused unread, and answer other expectations with a bare 417; they may be
  // ignored (RFC 9110 §10.1.1).
  for (const expecting of ['checkContinue', 'checkExpectation'])
    server.on(expecting, (request, response) => server.emit('request', request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => resolve())
  })
  return { port: (server.address() as AddressInfo).port, close: () => drain(server, held) }
}

/** Stops accepting, lets what is under way finish, then closes. */
const drain = async (server: Server, { own, proxied }: Serving['held']): Promise<void> => {
  own.close()
  proxied.close()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A kept-alive connection becomes idle only after its last answer, so idle ones are looked for until none is left.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const force = setTimeout(() => server.closeAllConnections(), 10_000)
  await closed
  clearInterval(sweep)
  clearTimeout(force)
}

const TENANT_PATH = whole(`/t/${TENANT_NAME}/(.+)`)

type Route = { readonly handler: HttpHandler | undefined; readonly door?: HttpDoor | undefined }

/** What is served at a path, and that path without the one of the base URL, which RFC 8414 has behind its well-known part. */
const routeOf = (options: HostOptions, path: string): Route & { readonly path: string } => {
  const { basePath = '', rootRoutes } = options
  const asItIs = servedAt(options, path)
  if (basePath === '' || asItIs.handler !== undefined) return { ...asItIs, path }
  const root = rootRoutes.find(({ prefix }) => path.startsWith(`${prefix}${basePath}/`))
  const before = root?.prefix ?? ''
  if (root === undefined && !path.startsWith(`${basePath}/`)) return { ...asItIs, path }
  const below = before + path.slice(before.length + basePath.length)
  return { ...servedAt(options, below), path: below }
}

const servedAt = (options: HostOptions, path: string): Route => {
  const rest = TENANT_PATH.exec(path)?.[1]
  if (rest !== undefined) {
    const name = own(options.tenantRoutes, rest) === undefined ? rest.slice(0, rest.indexOf('/') + 1) : rest
    return { handler: own(options.tenantRoutes, name), door: own(options.tenantDoors, name) }
  }
  const exact = own(options.exactRoutes, path)
  return { handler: exact ?? options.rootRoutes.find(({ prefix }) => path.startsWith(`${prefix}/t/`))?.handler }
}

/** Names come from paths: what every object has is no route. */
const own = <T>(routes: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  routes !== undefined && Object.hasOwn(routes, name) ? routes[name] : undefined

const serve = (options: Serving, request: IncomingMessage, response: ServerResponse): void => {
  const target = targetOf(request)
  const { handler, door, path } = routeOf(options, target.path)
  const isHead = request.method === 'HEAD'
  const misled = misledBy(options, request, target.host)
  const health = misled === null ? healthAt(options, request, path) : null
  if (health !== null) {
    send(response, health, isHead)
    return
  }
  const refusal = misled ?? unservedBy(options, request, handler)
  if (refusal !== null || handler === undefined) {
    const answer = refusal ?? NOT_FOUND
    options.countRefused?.(answer.statusCode)
    send(response, answer, isHead)
    return
  }
  const sourceIp = clientIp(options, request)
  const head: HttpHead = {
    rawPath: path,
    headers: request.headers as HttpHead['headers'],
    requestContext: { http: { method: request.method ?? '', sourceIp } },
  }
  const answer = (answered: HttpResponse): void => {
    const settled = answered.statusCode < 400 ? null : (options.settled?.() ?? null)
    if (settled === null) answerSettled(answered)
    // A flood of them waits for one round: all at once, they would have the loop for themselves when it is over.
    else void settled.then(() => options.inTurns(() => answerSettled(answered)))
  }
  const answerSettled = (answered: HttpResponse): void => {
    const answerNow = (): void => send(response, answered, isHead)
    const house = sourceIp === request.socket.remoteAddress ? options.held.own : options.held.proxied
    if (answered.isHeld !== true || response.closed) answerNow()
    else response.once('close', house.hold(answerNow))
  }
  const refused = door === undefined ? null : askDoor(door, head)
  if (refused !== null) {
    passOver(request, response)
    answer(refused)
    return
  }
  const ask = (body: Body | null): void => {
    if (body === null) passOver(request, response)
    handler({ ...head, rawQueryString: target.query, ...(body ?? { isBodyTooLarge: true }) }).then(answer, () =>
      send(response, FAILED, isHead),
    )
  }
  if (declaredLength(request) > LIMITS.bodyBytesMax) ask(null)
  else {
    if (waitsToBeAsked(request)) response.writeContinue()
    readBody(request, ask)
  }
}

/** Nobody is above this to catch: what a door throws would end the process, and every request with it. */
const askDoor = (door: HttpDoor, head: HttpHead): HttpResponse | null => {
  try {
    return door(head)
  } catch {
    return FAILED
  }
}

type Target = { readonly host: string | undefined; readonly path: string; readonly query: string }

const ABSOLUTE = /^https?:\/\/([^/?]*)/i

/** A target in absolute form says itself which host is meant, whatever Host says (RFC 9112 §3.2.2). */
const targetOf = ({ url = '/', headers }: IncomingMessage): Target => {
  const [origin = '', host = headers.host] = url.startsWith('/') ? [] : (ABSOLUTE.exec(url) ?? [])
  const target = url.slice(origin.length)
  const query = target.indexOf('?')
  return query < 0
    ? { host, path: target, query: '' }
    : { host, path: target.slice(0, query), query: target.slice(query + 1) }
}

const NOT_FOUND = notFound()
const FAILED = jsonResponse(500, { error: 'server_error', error_description: 'An internal error occurred' })
const NOT_READY = comeBack(503, 'The service cannot answer now', '1')
const ENCODED = httpError(415, 'unsupported_media_type', 'Content-Encoding is not accepted')

/** A host that is not ours, or not one host alone. */
const misledBy = (options: HostOptions, request: IncomingMessage, host: string | undefined): HttpResponse | null => {
  const hosts = countOfHosts(request)
  // Two are two readings of where it goes (RFC 9112 §3.2).
  if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1')) return malformedHttp()
  return options.hostAllowed && !options.hostAllowed(host) ? plain(421, 'misdirected request') : null
}

const healthAt = (options: HostOptions, { method }: IncomingMessage, path: string): HttpResponse | null => {
  const isHealth = path === '/healthz'
  if (!isHealth && path !== '/readyz') return null
  if (method !== 'GET' && method !== 'HEAD') return onlyRead()
  return isHealth || options.isReady() ? plain(200, 'ok') : plain(503, 'not ready')
}

/** What no endpoint is asked, and no body is read of. */
const unservedBy = (
  options: HostOptions,
  { headers }: IncomingMessage,
  handler: HttpHandler | undefined,
): HttpResponse | null => {
  if (!options.isReady()) return NOT_READY
  if (handler === undefined) return NOT_FOUND
  return headers['content-encoding'] === undefined ? null : ENCODED
}

/** node:http keeps the first and drops the others. */
const countOfHosts = ({ rawHeaders }: IncomingMessage): number => {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}

const clientIp = (options: HostOptions, request: IncomingMessage): string => {
  const forwarded = request.headers['x-forwarded-for']
  return options.clientOf(
    request.socket.remoteAddress ?? '',
    Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
  )
}

const send = (response: ServerResponse, answer: HttpResponse, isHead: boolean): void => {
  // Text stays text: node:http then writes head and body with one copy, in one piece.
  const body = answer.isBase64Encoded === true ? Buffer.from(answer.body, 'base64') : answer.body
  // A 304 has no body and no length of one (RFC 9110 §8.6).
  const length = answer.statusCode === 304 ? {} : { 'content-length': Buffer.byteLength(body) }
  response.writeHead(answer.statusCode, { ...answer.headers, 'x-content-type-options': 'nosniff', ...length })
  response.end(isHead || answer.statusCode === 304 ? undefined : body)
}

const plain = (statusCode: number, body: string): HttpResponse => ({
  statusCode,
  headers: { 'content-type': 'text/plain', 'cache-control': 'no-store' },
  body,
})
