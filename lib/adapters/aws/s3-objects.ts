// Two requests of S3, signed by AWS's own signer: put an object where none is, and get it. The SDK's client would be the larger part of a
// function that does nothing else with S3. Never follows a redirect, and answers of S3 are bounded.
import { createHash, createHmac } from 'node:crypto'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { SignatureV4 } from '@smithy/signature-v4'
import { LIMITS } from '../../domain/limits.ts'
import type { ClientPlace } from './clients.ts'

export type S3Object = { readonly bucket: string; readonly key: string }
/** `body` of what was read; empty otherwise. */
export type S3Answer = { readonly status: number; readonly body: string }

export type S3Objects = {
  /** 412: there is one of that name. */
  readonly putNew: (object: S3Object, text: string) => Promise<S3Answer>
  readonly get: (object: S3Object) => Promise<S3Answer>
}

/** With the rights of these credentials. Rejects where S3 does not answer in time. */
export const createS3Objects = ({ region, credentials, endpoint }: ClientPlace): S3Objects => {
  const http = new NodeHttpHandler({ connectionTimeout: LIMITS.dynamoConnectMs, requestTimeout: LIMITS.anchorCallMs })
  const signer = new SignatureV4({ service: 's3', region, credentials, sha256: Sha256, uriEscapePath: false })
  const send = async (
    method: 'GET' | 'PUT',
    { bucket, key }: S3Object,
    headers: object,
    body = '',
  ): Promise<S3Answer> => {
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
      query: {},
      headers: { host, 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'), ...headers },
      ...(method === 'GET' ? {} : { body }),
    }
    const signed = await signer.sign(request)
    const abortSignal = AbortSignal.timeout(LIMITS.anchorCallMs)
    const { response } = await http.handle(signed as Parameters<NodeHttpHandler['handle']>[0], { abortSignal })
    const text = await textOf(response.body as AsyncIterable<Uint8Array>)
    return { status: response.statusCode, body: method === 'GET' && response.statusCode === 200 ? text : '' }
  }
  return {
    putNew: (object, text) =>
      send(
        'PUT',
        object,
        {
          'content-type': 'text/plain',
          'content-length': String(Buffer.byteLength(text)),
          'if-none-match': '*',
          // Object Lock takes nothing without a checksum.
          'x-amz-checksum-sha256': createHash('sha256').update(text).digest('base64'),
        },
        text,
      ),
    get: (object) => send('GET', object, {}),
  }
}

const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > LIMITS.witnessAnswerBytesMax) throw new Error('an answer of S3 is too long')
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
