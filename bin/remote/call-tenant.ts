// The operator's commands from afar: `--tenant-url URL --token-file F` in the place of `--data DIR`. One bounded call; the token
// is read from the file for each, so that a job may renew it, and is never printed. A token that is bound to a key goes with a proof
// of it (`--dpop-key`, RFC 9449 §7).
import { readFile } from 'node:fs/promises'
import { readDpopKey } from '../../lib/client/dpop-key.ts'
import { done, fail, type Outcome } from '../../lib/client/outcome.ts'
import { printable } from '../../lib/client/printable.ts'
import { parseTenantUrl } from '../../lib/client/secure-url.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { UsageError } from '../command.ts'

export type Json = Readonly<Record<string, unknown>>

/** `path` below the tenant. The body of a 200 or 202; anything else is a problem, worded for the operator. */
export type CallTenant = (path: string, body?: object) => Promise<Outcome<Json>>

/** `url`: of the tenant, without a slash at its end. */
export type Afar = { readonly tenant: string; readonly url: string; readonly call: CallTenant }

export const AFAR_OPTIONS = {
  'tenant-url': { type: 'string' },
  'token-file': { type: 'string' },
  'dpop-key': { type: 'string' },
} as const

export const AFAR_HELP = `  --tenant-url URL         at the broker, over HTTP, in the place of --data: https://sts.example.com/t/acme
  --token-file F           a token of that tenant with scope admin
  --dpop-key F             the private key it is bound to, if it is (PEM or JWK)
`

export type AfarValues = {
  readonly 'tenant-url'?: string | undefined
  readonly 'token-file'?: string | undefined
  readonly 'dpop-key'?: string | undefined
  readonly data?: string | undefined
  readonly tenant?: string | undefined
}

/** Null: not from afar. Throws UsageError. */
export const readAfar = (values: AfarValues): Afar | null => {
  const keyFile = values['dpop-key']
  if (values['tenant-url'] === undefined && values['token-file'] === undefined) {
    if (keyFile !== undefined) throw new UsageError('--dpop-key goes with --tenant-url and --token-file')
    return null
  }
  const tenantUrl = parseTenantUrl(values['tenant-url'] ?? '')
  const tokenFile = values['token-file']
  if (tenantUrl === null)
    throw new UsageError('--tenant-url is an https URL without query and user (http: this machine only)')
  if (tokenFile === undefined) throw new UsageError('--tenant-url goes with --token-file')
  if (values.data !== undefined) throw new UsageError('either --data, or --tenant-url with --token-file')
  const tenant = tenantUrl.slice(tenantUrl.lastIndexOf('/') + 1)
  if (values.tenant !== undefined && values.tenant !== tenant)
    throw new UsageError('--tenant is not that of --tenant-url')
  return {
    tenant,
    url: tenantUrl,
    call: (path, body) => callTenant(`${tenantUrl}/${path}`, { tokenFile, keyFile }, body),
  }
}

const ANSWER_BYTES_MAX = 64 * 1024 * 1024

type Files = { readonly tokenFile: string; readonly keyFile: string | undefined }

const callTenant = async (url: string, files: Files, body: object | undefined): Promise<Outcome<Json>> => {
  const method = body === undefined ? 'GET' : 'POST'
  const credentials = await readCredentials(files, method, url)
  if (!credentials.ok) return credentials

  try {
    const response = await fetch(url, {
      method,
      headers: { ...credentials.value, accept: 'application/json', 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      // The token would go along.
      redirect: 'manual',
      signal: AbortSignal.timeout(LIMITS.clientTimeoutMs),
    })
    const text = await response.text()
    if (text.length > ANSWER_BYTES_MAX) return fail('unavailable', 'the answer is too long')
    return read(response.status, text)
  } catch {
    return fail('unavailable', 'the broker gave no answer')
  }
}

/** Headers: the token, and where it is bound a proof for this very call. */
const readCredentials = async (
  { tokenFile, keyFile }: Files,
  method: string,
  url: string,
): Promise<Outcome<Readonly<Record<string, string>>>> => {
  let token: string
  try {
    token = (await readFile(tokenFile, 'utf8')).trim()
  } catch (error) {
    return fail('usage', `cannot read the token file: ${(error as NodeJS.ErrnoException).code}`)
  }
  if (!/^[A-Za-z0-9\-._~]+$/.test(token)) return fail('usage', 'the token file holds no token')
  if (keyFile === undefined) return done({ authorization: `Bearer ${token}` })
  const key = await readDpopKey(keyFile)
  return key.ok
    ? done({ authorization: `DPoP ${token}`, dpop: key.value.prove({ method, url, accessToken: token }) })
    : key
}

const read = (status: number, text: string): Outcome<Json> => {
  let body: Json
  try {
    body = { ...(JSON.parse(text) as Json) }
  } catch {
    return fail('unavailable', `HTTP ${status} that is not JSON: is this the URL of a tenant?`)
  }
  if (status === 200 || status === 202) return done(body)
  const say = (name: string): string => (typeof body[name] === 'string' ? printable(body[name], []) : '')
  const facts = { status, error: say('error'), ...(say('refusal') === '' ? {} : { refusal: say('refusal') }) }
  const isOutage = status === 429 || status >= 500
  const says = say('error_description') || say('error')
  return fail(isOutage ? 'unavailable' : 'refused', `HTTP ${status}: ${says}`, facts)
}
