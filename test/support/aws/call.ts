// One AWS request as it came over the wire, read into service, operation and input. The service is known by the shape of the
// request (target header, form action, path), never by what the caller signed for: a signature for another service is an error.

/** JSON 1.0/1.1 by `x-amz-target`, the form-and-XML "query" protocol, Lambda's REST paths, S3's buckets and objects. */
export type ServiceName = 'dynamodb' | 'kms' | 'sqs' | 'sts' | 'iam' | 'lambda' | 's3' | 'secretsmanager'
export type Protocol = 'json' | 'query' | 'rest-json'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined }
export type JsonObject = { readonly [name: string]: Json | undefined }

export type RawRequest = {
  readonly method: string
  /** Path and query exactly as sent. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type AwsCall = {
  readonly raw: RawRequest
  readonly service: ServiceName
  readonly protocol: Protocol
  readonly operation: string
  /** JSON body, or form parameters with `A.member.1.B` made into lists and objects; empty for REST services. */
  readonly input: JsonObject
}

const TARGETS: Readonly<Record<string, ServiceName>> = {
  DynamoDB_20120810: 'dynamodb',
  TrentService: 'kms',
  AmazonSQS: 'sqs',
  secretsmanager: 'secretsmanager',
}
const FORM_VERSIONS: Readonly<Record<string, ServiceName>> = { '2011-06-15': 'sts', '2010-05-08': 'iam' }
const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/
/** Null: no service of this emulator. Throws SyntaxError for a JSON service's body that is not JSON. */
export const readCall = (raw: RawRequest): AwsCall | null => {
  const { pathname, searchParams } = new URL(raw.url, 'http://aws.invalid')
  const target = raw.headers['x-amz-target']
  if (target !== undefined) {
    const [family = '', operation = ''] = target.split('.')
    const service = TARGETS[family]
    const text = raw.body.toString('utf8')
    return service === undefined
      ? null
      : { raw, service, protocol: 'json', operation, input: text === '' ? {} : (JSON.parse(text) as JsonObject) }
  }
  if (raw.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    const form = new URLSearchParams(raw.body.toString('utf8'))
    const service = FORM_VERSIONS[form.get('Version') ?? '']
    return service === undefined
      ? null
      : { raw, service, protocol: 'query', operation: form.get('Action') ?? '', input: readForm(form) }
  }
  const invoked = INVOKE.exec(pathname)
  if (invoked === null) return readObjectCall(raw, pathname, searchParams)
  const input = { FunctionName: decodeURIComponent(invoked[1]!) }
  return { raw, service: 'lambda', protocol: 'rest-json', operation: 'Invoke', input }
}

/** S3 in path style: `/bucket/key`, `/bucket/?list-type=2`. Null: neither put, get nor list. */
const readObjectCall = (raw: RawRequest, pathname: string, query: URLSearchParams): AwsCall | null => {
  const [, Bucket] = /^\/([a-z0-9-]+)\/?$/.exec(pathname) ?? []
  if (raw.method === 'GET' && Bucket !== undefined && query.get('list-type') === '2') {
    const input = { Name: Bucket, Prefix: query.get('prefix'), ContinuationToken: query.get('continuation-token') }
    return { raw, service: 's3', protocol: 'query', operation: 'ListObjectsV2', input }
  }
  const operation = { PUT: 'PutObject', GET: 'GetObject' }[raw.method]
  const [, Name] = /^\/([a-z0-9-]+\/.+)$/.exec(decodeURIComponent(pathname)) ?? []
  if (operation === undefined || Name === undefined) return null
  return { raw, service: 's3', protocol: 'query', operation, input: { Name } }
}

/** `Tags.member.2.Key=a` becomes `{ Tags: [, { Key: 'a' }] }` with gaps closed: the query protocol's lists. */
const readForm = (form: URLSearchParams): JsonObject => {
  type Tree = { [name: string]: string | Tree }
  const root = Object.create(null) as Tree
  for (const [name, value] of form) {
    const path = name.split('.')
    let at = root
    for (const part of path.slice(0, -1)) {
      const next = at[part]
      const child = typeof next === 'object' ? next : (Object.create(null) as Tree)
      at[part] = child
      at = child
    }
    at[path.at(-1)!] = value
  }
  const settle = (node: string | Tree): Json => {
    if (typeof node === 'string') return node
    const { member } = node
    if (typeof member !== 'object') {
      return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, settle(child)]))
    }
    return Object.entries(member)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, child]) => settle(child))
  }
  return settle(root) as JsonObject
}

/** A string member of an input, or undefined; SDKs never send another type where the model says string. */
export const stringOf = (input: JsonObject, name: string): string | undefined => {
  const value = input[name]
  return typeof value === 'string' ? value : undefined
}

/** A list member of objects, empty where absent. */
export const objectsOf = (input: JsonObject, name: string): readonly JsonObject[] =>
  Array.isArray(input[name]) ? (input[name] as readonly JsonObject[]) : []

/** An object member, empty where absent. */
export const objectOf = (input: JsonObject, name: string): JsonObject => {
  const value = input[name]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

/** A map of strings, empty where absent. */
export const stringsOf = (input: JsonObject, name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(objectOf(input, name)).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  )
