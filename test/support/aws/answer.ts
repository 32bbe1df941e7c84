// What AWS answers, in the shape each protocol gives it. An error carries the code AWS documents for that protocol, so that the
// SDK's own error classes, retries and clock correction are exercised and not imitated.
import { randomUUID } from 'node:crypto'
import type { AwsCall, Json, JsonObject, Protocol, ServiceName } from './call.ts'

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

/** A refusal of AWS, thrown anywhere below the server and written by it. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** The same refusal has one name in the JSON protocols and another in the query protocol. */
const CODES = {
  accessDenied: ['AccessDeniedException', 'AccessDenied'],
  badSignature: ['InvalidSignatureException', 'SignatureDoesNotMatch'],
  unknownKey: ['UnrecognizedClientException', 'InvalidClientTokenId'],
  expiredToken: ['ExpiredTokenException', 'ExpiredToken'],
  unsigned: ['MissingAuthenticationTokenException', 'MissingAuthenticationToken'],
  incomplete: ['IncompleteSignatureException', 'IncompleteSignature'],
} as const

export type CommonError = keyof typeof CODES

/** JSON services answer 400 to all of these, the others 403. */
export const commonError = (kind: CommonError, protocol: Protocol, message: string): AwsError => {
  const [json, query] = CODES[kind]
  return new AwsError(protocol === 'query' ? query : json, message, protocol === 'json' ? 400 : 403)
}

/** What a service says when it has had enough; the SDK retries every one of them. */
const THROTTLES: Readonly<Record<ServiceName, readonly [string, number]>> = {
  dynamodb: ['ThrottlingException', 400],
  kms: ['ThrottlingException', 400],
  sqs: ['ThrottlingException', 400],
  sts: ['Throttling', 400],
  iam: ['Throttling', 400],
  lambda: ['TooManyRequestsException', 429],
  s3: ['SlowDown', 503],
  secretsmanager: ['ThrottlingException', 400],
}
export const throttled = (service: ServiceName): AwsError => {
  const [code, status] = THROTTLES[service]
  return new AwsError(code, 'Rate exceeded', status)
}

export const jsonAnswer = (output: JsonObject | Json, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.1', ...headers },
  body: JSON.stringify(output),
})

/** `result` null: the operation has no result element (IAM's Put and Attach). */
export const queryAnswer = (call: AwsCall, result: JsonObject | null): Answer => {
  const name = call.operation
  const inner = result === null ? '' : `<${name}Result>${xmlOf(result)}</${name}Result>`
  const trailer = `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`
  return {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: `<${name}Response xmlns="https://${call.service}.amazonaws.com/doc/">${inner}${trailer}</${name}Response>`,
  }
}

export const errorAnswer = (protocol: Protocol, { code, message, status }: AwsError): Answer => {
  if (protocol === 'json') {
    return {
      status,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: JSON.stringify({ __type: code, message }),
    }
  }
  if (protocol === 'rest-json') {
    const headers = { 'content-type': 'application/json', 'x-amzn-errortype': code }
    return {
      status,
      headers,
      body: JSON.stringify({ Type: status < 500 ? 'User' : 'Service', Message: message, message }),
    }
  }
  const detail = xmlOf({ Code: code, Message: message })
  const type = status < 500 ? 'Sender' : 'Receiver'
  const body = `<ErrorResponse><Error><Type>${type}</Type>${detail}</Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`
  return { status, headers: { 'content-type': 'text/xml' }, body }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

const xmlOf = (value: Json | undefined): string => {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map((item) => `<member>${xmlOf(item)}</member>`).join('')
  if (typeof value === 'object') {
    return Object.entries(value as JsonObject)
      .filter(([, child]) => child !== undefined)
      .map(([name, child]) => `<${name}>${xmlOf(child)}</${name}>`)
      .join('')
  }
  return String(value).replace(/[&<>"']/g, (char) => ESCAPES[char]!)
}
