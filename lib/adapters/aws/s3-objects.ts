// Three requests of S3, signed by AWS's own signer: put an object where none is, get it, list what is there. The SDK's client would be
// the larger part of a function that does nothing else with S3. Never follows a redirect, and answers of S3 are bounded.
import { createHash, createHmac } from 'node:crypto'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { SignatureV4 } from '@smithy/signature-v4'
import { LIMITS } from '../../domain/limits.ts'
import type { ClientPlace } from './clients.ts'

export type S3Object = { readonly bucket: string; readonly key: string }
/** `body` of what was read; empty otherwise. */
export type S3Answer = { readonly status: number; readonly body: string }
/** Names that begin so, in the order of their bytes; `after`: the page that comes next, as the page before said. */
export type S3Listed = { readonly bucket: string; readonly prefix: string; readonly after: string | null }
/** `next`: null with the last page. */
export type S3Page = { readonly status: number; readonly keys: readonly string[]; readonly next: string | null }

export type S3Objects = {
  /** 412: there is one of that name. */
  readonly putNew: (object: S3Object, text: string) => Promise<S3Answer>
  readonly get: (object: S3Object) => Promise<S3Answer>
  /** Names as XML has them: those with `&` or `<` are not found by them. */
  readonly list: (listed: S3Listed) => Promise<S3Page>
}

type Asked = {
  readonly method: 'GET' | 'PUT'
  readonly bucket: string
  /** Empty: the bucket itself. */
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly bytesMax?: number
}

/** With the rights of these credentials. Rejects where S3 does not answer in time. */
export const createS3Objects = ({ region, credentials, endpoint }: ClientPlace): S3Objects => {
  const http = new NodeHttpHandler({ connectionTimeout: LIMITS.dynamoConnectMs, requestTimeout: LIMITS.anchorCallMs })
  const signer = new SignatureV4({ service: 's3', region, credentials, sha256: Sha256, uriEscapePath: false })
  const send = async (asked: Asked): Promise<S3Answer> => {
    const { method, bucket, key, query = {}, headers, body = '', bytesMax = LIMITS.witnessAnswerBytesMax } = asked
    // An emulator has no name for each bucket.
    const url = new URL(
      endpoint === undefined ? `https://${bucket}.s3.${region}.amazonaws.com/${key}` : `${endpoint}/${bucket}/${key}`,
    )
    const { protocol, hostname, port, host, pathname: path } = url
    const request = {
      method,
      protocol,
      hostname,
      ...(port === '' ? {} : { port: Number(port) }),
      path,
      query,
      headers: { host, 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'), ...headers },
      ...(method === 'GET' ? {} : { body }),
    }
    const signed = await signer.sign(request)
    const abortSignal = AbortSignal.timeout(LIMITS.anchorCallMs)
    const { response } = await http.handle(signed as Parameters<NodeHttpHandler['handle']>[0], { abortSignal })
    const text = await textOf(response.body as AsyncIterable<Uint8Array>, bytesMax)
    return { status: response.statusCode, body: method === 'GET' && response.statusCode === 200 ? text : '' }
  }
  return {
    putNew: (object, text) =>
      send({
        method: 'PUT',
        ...object,
        headers: {
          'content-type': 'text/plain',
          'content-length': String(Buffer.byteLength(text)),
          'if-none-match': '*',
          // Object Lock takes nothing without a checksum.
          'x-amz-checksum-sha256': createHash('sha256').update(text).digest('base64'),
        },
        body: text,
      }),
    get: (object) => send({ method: 'GET', ...object }),
    async list({ bucket, prefix, after }) {
      const query = { 'list-type': '2', prefix, ...(after === null ? {} : { 'continuation-token': after }) }
      const bytesMax = LIMITS.anchorPageBytesMax
      const { status, body } = await send({ method: 'GET', bucket, key: '', query, bytesMax })
      return status === 200 ? { status, ...pageIn(body) } : { status, keys: [], next: null }
    },
  }
}

/** Of ListObjectsV2. What is cut short is no page: names that are left out would not be looked at. */
const pageIn = (xml: string): Omit<S3Page, 'status'> => {
  const [, isMore] = /<IsTruncated>(true|false)<\/IsTruncated>/.exec(xml) ?? []
  const [, next = null] = /<NextContinuationToken>([^<]+)</.exec(xml) ?? []
  if (isMore === undefined || (isMore === 'true') !== (next !== null) || !xml.trimEnd().endsWith('</ListBucketResult>'))
    throw new Error('an answer of S3 is no page of names')
  return { keys: [...xml.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key]) => key!), next }
}

const textOf = async (body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new Error('an answer of S3 is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

type Bytes = Parameters<ReturnType<typeof createHash>['update']>[0] | ArrayBuffer | ArrayBufferView

/** node:crypto in the shape that the signer asks for. */
class Sha256 {
  #hash: ReturnType<typeof createHash>
  constructor(secret?: Bytes) {
    this.#hash = secret === undefined ? createHash('sha256') : (createHmac('sha256', bytesOf(secret)) as never)
  }
  update(data: Bytes): void {
    this.#hash.update(bytesOf(data))
  }
  reset(): void {
    this.#hash = createHash('sha256')
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
}

const bytesOf = (data: Bytes): Buffer =>
  typeof data === 'string'
    ? Buffer.from(data)
    : data instanceof ArrayBuffer
      ? Buffer.from(data)
      : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
