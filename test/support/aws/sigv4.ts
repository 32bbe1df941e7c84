// Verifies AWS Signature Version 4 by signing the request again with AWS's own signer and comparing. Everything the signature
// is meant to bind is checked: the body by its own hash, the date by the clock, the scope by region and service, and that no
// `x-amz-` header stands outside the signature.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { type AwsError, type CommonError, commonError } from './answer.ts'
import type { AwsCall } from './call.ts'

/** AWS refuses requests signed more than five minutes from its own time. */
const SKEW_MS = 5 * 60_000
const SCHEME =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request, ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/

type KeyPair = { readonly secretAccessKey: string; readonly sessionToken?: string; readonly expiresMs: number }

export type SignatureRules = {
  readonly region: string
  readonly nowMs: number
  readonly findKey: (accessKeyId: string) => KeyPair | undefined
}

/** The access key the call was really signed with. Throws the protocol's error for everything else. */
export const verifySignature = async (call: AwsCall, rules: SignatureRules): Promise<string> => {
  const { headers, body } = call.raw
  const fail = (kind: CommonError, message: string): AwsError => commonError(kind, call.protocol, message)
  const authorization = headers['authorization']
  if (authorization === undefined) throw fail('unsigned', 'Missing Authentication Token')
  const parts = SCHEME.exec(authorization)
  const date = parseAmzDate(headers['x-amz-date'])
  if (parts === null || date === null) {
    throw fail('incomplete', 'Authorization header requires Credential, SignedHeaders, Signature and a date')
  }
  const [, accessKeyId = '', day, region, service, signedList = '', signature = ''] = parts

  const key = rules.findKey(accessKeyId)
  const isTokenRight = key !== undefined && headers['x-amz-security-token'] === key.sessionToken
  if (!isTokenRight) throw fail('unknownKey', 'The security token included in the request is invalid.')
  if (key.expiresMs <= rules.nowMs) throw fail('expiredToken', 'The security token included in the request is expired')
  if (Math.abs(date.getTime() - rules.nowMs) > SKEW_MS) throw fail('badSignature', 'Signature expired')
  if (service !== call.service) {
    throw fail('badSignature', `Credential should be scoped to correct service: '${call.service}'.`)
  }
  // IAM is global and signs for us-east-1 wherever its client is.
  if (region !== rules.region && !(service === 'iam' && region === 'us-east-1')) {
    throw fail('badSignature', `Credential should be scoped to a valid region, not '${region}'.`)
  }
  if (day !== headers['x-amz-date']?.slice(0, 8)) throw fail('badSignature', 'Date in Credential scope does not match.')

  const signed = signedList.split(';')
  const loose = Object.keys(headers).filter((name) => name.startsWith('x-amz-') && !signed.includes(name))
  if (!signed.includes('host') || loose.length > 0) {
    throw fail('badSignature', 'There were headers present in the request which were not signed')
  }
  const claimedHash = headers['x-amz-content-sha256']
  if (claimedHash !== undefined && claimedHash !== sha256Hex(body)) {
    throw fail('badSignature', 'The provided x-amz-content-sha256 header does not match what was computed.')
  }

  const expected = await signAgain(call, { accessKeyId, key, region, service, signed, date })
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(signature))) {
    throw fail('badSignature', 'The request signature we calculated does not match the signature you provided.')
  }
  return accessKeyId
}

type Scope = {
  readonly accessKeyId: string
  readonly key: KeyPair
  readonly region: string
  readonly service: string
  readonly signed: readonly string[]
  readonly date: Date
}

/** Only the headers that were signed go into the second signature, so one changed or dropped changes it. */
const signAgain = async ({ raw }: AwsCall, scope: Scope): Promise<string> => {
  const { accessKeyId, key, region, service, signed, date } = scope
  const { secretAccessKey, sessionToken } = key
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    region,
    service,
    sha256: NodeSha256,
    applyChecksum: false,
  })
  const url = new URL(raw.url, 'http://aws.invalid')
  const again = await signer.sign(
    {
      method: raw.method,
      protocol: 'http:',
      hostname: raw.headers['host'] ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(signed.map((name) => [name, raw.headers[name] ?? ''])),
      body: raw.body,
    },
    { signingDate: date, signableHeaders: new Set(signed) },
  )
  return SCHEME.exec(again.headers['authorization'] ?? '')?.[6] ?? ''.padEnd(64, '-')
}

const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

const parseAmzDate = (text = ''): Date | null => {
  const iso = text.replace(AMZ_DATE, '$1-$2-$3T$4:$5:$6Z')
  const date = new Date(iso)
  return iso === text || Number.isNaN(date.getTime()) ? null : date
}

const sha256Hex = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

/** The signer asks for a class in the shape of its own; Node's hashes have another. */
class NodeSha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
  reset(): void {
    throw new Error('a hash is used once')
  }
}

const bytesOf = (secret: string | ArrayBuffer | ArrayBufferView): Uint8Array => {
  if (typeof secret === 'string') return Buffer.from(secret)
  return secret instanceof ArrayBuffer
    ? new Uint8Array(secret)
    : new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
}
