// The guarded HTTP client (design §4, issuers.md §0.10, attacks A5 and rows 53-55). Straight on node:http(s), because what
// it promises is about sockets: dial only judged addresses, one deadline over everything, stop reading at the cap. No
// keep-alive, no agent, no proxy, no redirect, no decompressor in the path; nothing a foreign host writes leaves in a failure.
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { type EgressUrl, parseEgressUrl } from '../../domain/egress.ts'
import { LIMITS } from '../../domain/limits.ts'
import type {
  OutboundBody,
  OutboundHttp,
  OutboundOptions,
  OutboundReason,
  OutboundResult,
} from '../../ports/outbound-http.ts'
import { type AddressPolicy, createAddressPolicy } from './address-policy.ts'
import { createResolve, type Resolve } from './resolve-name.ts'

export type GuardedHttpOptions = {
  /** --dev: http to loopback, and to loopback only. */
  readonly dev: boolean
  /** Ranges of --egress-allow. */
  readonly egressAllow: readonly string[]
  /** Ports an https URL may name; default 443 only. */
  readonly ports?: readonly number[] | 'any'
  /** Whether a URL may have a query; key sets may not. */
  readonly query?: boolean
  /** PEM of the only certificate authorities to trust; default: those of Node and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string
  readonly resolve?: Resolve
}

export const createGuardedHttp = (options: GuardedHttpOptions): OutboundHttp => {
  const policy = createAddressPolicy(options.egressAllow)
  const resolve = options.resolve ?? createResolve()
  const rules = { dev: options.dev, ports: options.ports ?? [443], query: options.query ?? false }
  const ask = (text: string, body: OutboundBody | null, how: OutboundOptions): Promise<OutboundResult> => {
    const parsed = parseEgressUrl(text, rules)
    if (!parsed.ok) return Promise.resolve(failed('url_refused'))
    return exchange({ url: parsed.url, body, how }, { policy, resolve, ca: options.ca })
  }
  return { get: (text, how) => ask(text, null, how), post: ask }
}

type Asked = { readonly url: EgressUrl; readonly body: OutboundBody | null; readonly how: OutboundOptions }

type Tools = { readonly policy: AddressPolicy; readonly resolve: Resolve; readonly ca: string | undefined }

const failed = (reason: OutboundReason, answer: Readonly<Answer> = { status: null, bytes: 0 }): OutboundResult => ({
  ok: false,
  failure: { reason, ...answer },
})

/** One request under its two deadlines. Whoever settles first wins, and settling tears the socket down. */
const exchange = ({ url, body, how }: Asked, tools: Tools): Promise<OutboundResult> => {
  const { promise, resolve } = Promise.withResolvers<OutboundResult>()
  const isBad = badAddress(url, tools.policy)
  const answer: Answer = { status: null, bytes: 0 }
  let request: ClientRequest | null = null
  let isReady = false
  let isSettled = false
  const settle = (result: OutboundResult): void => {
    if (isSettled) return
    isSettled = true
    clearTimeout(connecting)
    clearTimeout(whole)
    request?.destroy()
    resolve(result)
  }
  const fail = (reason: OutboundReason): void => settle(failed(reason, answer))
  const connecting = setTimeout(() => fail('connect_timeout'), how.connectMs ?? LIMITS.fetchConnectMs)
  const whole = setTimeout(() => fail('deadline'), how.totalMs ?? LIMITS.fetchTotalMs)

  const dial = (addresses: readonly string[]): void => {
    // The deadline may have passed while the name was looked up: then nothing is dialled any more.
    if (isSettled) return
    request = send({ url, body, how }, addresses, tools.ca)
    request.on('error', () => fail(isReady ? 'interrupted' : 'connect_failed'))
    request.once('response', (response) => readAnswer(response, how, answer, { settle, fail }))
    request.once('socket', (socket) => {
      socket.once('connect', () => {
        // Asserted in pairs: whatever Node's connect did with the lookup, nothing is said to an address nobody judged.
        if (isBad(socket.remoteAddress ?? '')) fail('address_refused')
      })
      socket.once(url.scheme === 'https' ? 'secureConnect' : 'connect', () => {
        isReady = true
        clearTimeout(connecting)
      })
    })
    request.end(body?.text)
  }
  judgedAddresses(url, isBad, tools.resolve)
    .then(
      (judged) => (typeof judged === 'string' ? fail(judged) : dial(judged)),
      () => fail('name_not_resolved'),
    )
    // Node throws at what cannot be sent, a header value with a line break in it.
    .catch(() => fail('request_refused'))
  return promise
}

type IsBad = (address: string) => boolean

const badAddress = (url: EgressUrl, policy: AddressPolicy): IsBad =>
  url.scheme === 'http' ? (address) => !policy.isLoopback(address) : policy.isForbidden

/** Every address of the name, when all of them may be dialled: one bad answer among good ones is an attack or a mistake. */
const judgedAddresses = async (
  url: EgressUrl,
  isBad: IsBad,
  resolve: Resolve,
): Promise<readonly string[] | OutboundReason> => {
  const addresses = isIP(url.hostname) === 0 ? await resolve(url.hostname) : [url.hostname]
  if (addresses.length === 0) return 'name_not_resolved'
  return addresses.some(isBad) ? 'address_refused' : addresses
}

/** The socket asks for the name again; it gets the judged addresses, so a second DNS answer never decides (rebinding). */
const pinnedLookup = (addresses: readonly string[]): LookupFunction => {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_hostname, options, callback) => {
    const first = pinned[0]!
    if (options.all === true) callback(null, pinned)
    else callback(null, first.address, first.family)
  }
}

const send = ({ url, body, how }: Asked, addresses: readonly string[], ca: string | undefined): ClientRequest => {
  const options: RequestOptions = {
    method: body === null ? 'GET' : 'POST',
    hostname: url.hostname,
    port: url.port,
    path: url.path,
    lookup: pinnedLookup(addresses),
    agent: false,
    maxHeaderSize: LIMITS.headerBytesMax * 2,
    headers: {
      accept: how.expect === 'json' ? 'application/json' : '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'mintmark',
      connection: 'close',
      ...(body === null
        ? {}
        : { ...body.headers, 'content-type': body.contentType, 'content-length': Buffer.byteLength(body.text) }),
    },
  }
  if (url.scheme === 'http') return httpRequest(options)
  return httpsRequest({
    ...options,
    servername: url.hostname,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
  })
}

type Answer = { status: number | null; bytes: number; retryAfterSeconds?: number }
type Settle = { readonly settle: (result: OutboundResult) => void; readonly fail: (reason: OutboundReason) => void }

const readAnswer = (
  response: IncomingMessage,
  how: OutboundOptions,
  answer: Answer,
  { settle, fail }: Settle,
): void => {
  const status = response.statusCode ?? 0
  answer.status = status
  const retryAfterSeconds = secondsOf(response.headers['retry-after'])
  if (retryAfterSeconds !== null) answer.retryAfterSeconds = retryAfterSeconds
  response.on('error', () => fail('interrupted'))
  response.once('close', () => fail('interrupted'))
  const refused = refuseHead(response, status, how)
  if (refused !== null) {
    fail(refused)
    return
  }
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => {
    answer.bytes += chunk.length
    if (answer.bytes > how.bodyBytesMax) fail('too_large')
    else chunks.push(chunk)
  })
  response.once('end', () => {
    // Half an answer can be valid JSON with half of the keys.
    if (response.complete) settle({ ok: true, response: { status, body: joined(chunks, answer.bytes) } })
    else fail('interrupted')
  })
}

const joined = (chunks: readonly Buffer[], bytes: number): Uint8Array<ArrayBuffer> => {
  const body = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}

/** Of the two forms of Retry-After the one in seconds; a date would be of another clock. */
const secondsOf = (header: string | undefined): number | null =>
  header !== undefined && /^[0-9]{1,6}$/.test(header) ? Number(header) : null

const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.+-]+\+)?json[ \t]*(?:;|$)/i
const HTML_TYPE = /^(?:text\/html|application\/xhtml\+xml)/i

/** What is wrong with status and headers, before a byte of the body is read. */
const refuseHead = (response: IncomingMessage, status: number, how: OutboundOptions): OutboundReason | null => {
  if (status >= 300 && status < 400) return 'redirect'
  if (!(how.statuses ?? [200]).includes(status)) return 'status'
  const { 'content-encoding': encoding, 'content-type': type = '', 'content-length': length } = response.headers
  // Asked for plain text; whoever compresses anyway may be sending a bomb, and there is nothing here to unpack it.
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return 'content_encoding'
  // Without content there is no type of it (RFC 9110 §15.3.5).
  if (status !== 204 && isOfAnotherType(type, how)) return 'content_type'
  return length !== undefined && Number(length) > how.bodyBytesMax ? 'too_large' : null
}

const isOfAnotherType = (type: string, { expect }: OutboundOptions): boolean =>
  expect === 'json' ? !JSON_TYPE.test(type) : expect === 'not_a_page' && HTML_TYPE.test(type)
