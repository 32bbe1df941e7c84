// The exchange as a job asks for it (RFC 8693 §2.1): one form, one random idempotency key, sent again unchanged while the broker
// says "not now", so that a lost answer costs nothing and evidence is still redeemed once (design P4).
import { randomBytes } from 'node:crypto'
import { TOKEN_EXCHANGE, TYPE_JWT } from '../domain/token-request.ts'
import type { DpopKey } from './dpop-key.ts'
import { done, fail, type Outcome } from './outcome.ts'
import { printable } from './printable.ts'
import type { HttpAnswer, SendHttp } from './send-http.ts'

export type ExchangeRequest = {
  /** The issuer URL of the tenant, without a trailing slash. */
  readonly tenantUrl: string
  readonly assertion: string
  /** undefined: the only one of the only grant that serves. */
  readonly audience: string | undefined
  /** URN of the kind of credential; undefined: an access token. */
  readonly tokenType?: string
  readonly scope?: string | undefined
  readonly grant?: string | undefined
  readonly idempotencyKey: string
  /** What the token is to be bound to; undefined: to nothing. */
  readonly dpopKey?: DpopKey | undefined
}

export type IssuedToken = {
  readonly accessToken: string
  readonly tokenType: string
  readonly issuedTokenType: string
  readonly expiresInSeconds: number
  readonly scope: string
  /** Empty: the broker named none. */
  readonly decisionId: string
}

/** 128 random bits in 22 characters (design §3). One for each exchange, the same for each of its tries. */
export const newIdempotencyKey = (): string => randomBytes(16).toString('base64url')

/** `http` does the tries (`sendWithRetries`). Problems carry what the broker said, never the assertion. RFC 8693 §2.2. */
export const exchangeAssertion = async (request: ExchangeRequest, http: SendHttp): Promise<Outcome<IssuedToken>> => {
  const form = new URLSearchParams({
    grant_type: TOKEN_EXCHANGE,
    subject_token_type: TYPE_JWT,
    subject_token: request.assertion,
  })
  if (request.audience !== undefined) form.set('audience', request.audience)
  if (request.tokenType !== undefined) form.set('requested_token_type', request.tokenType)
  if (request.scope !== undefined) form.set('scope', request.scope)
  if (request.grant !== undefined) form.set('grant', request.grant)
  const { dpopKey } = request
  const sent = { url: `${request.tenantUrl}/token`, method: 'POST' } as const
  const answer = await http({
    ...sent,
    ...(dpopKey === undefined ? {} : { prove: () => dpopKey.prove(sent) }),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      'idempotency-key': request.idempotencyKey,
    },
    body: form.toString(),
  })
  if (answer.kind === 'failed')
    return fail('unavailable', `the broker gave no answer: ${answer.says}`, { error: 'unavailable' })
  return answer.status === 200 ? readToken(answer.body) : readError(answer, request.assertion)
}

const readToken = (body: string): Outcome<IssuedToken> => {
  const answer = parseObject(body)
  const accessToken = answer['access_token']
  const expiresInSeconds = answer['expires_in']
  // Visible ASCII only: the token becomes a line of a workflow command, a variable, a file.
  if (typeof accessToken !== 'string' || !/^[\x21-\x7e]+$/.test(accessToken))
    return fail('unavailable', 'the broker answered 200 without a token: is this the URL of a tenant?')
  return done({
    accessToken,
    tokenType: textOf(answer['token_type']),
    issuedTokenType: textOf(answer['issued_token_type']),
    expiresInSeconds: typeof expiresInSeconds === 'number' ? expiresInSeconds : 0,
    scope: textOf(answer['scope']),
    decisionId: printable(textOf(answer['decision_id'])),
  })
}

const readError = (answer: HttpAnswer & { kind: 'answered' }, assertion: string): Outcome<never> => {
  const body = parseObject(answer.body)
  const say = (name: string): string => printable(textOf(body[name]), [assertion])
  const [error, description, uri] = [say('error'), say('error_description'), say('error_uri')]
  const decision = say('decision_id')
  const facts = {
    status: answer.status,
    error: error || `http_${answer.status}`,
    ...(description === '' ? {} : { error_description: description }),
    ...(uri === '' ? {} : { error_uri: uri }),
    ...(decision === '' ? {} : { decision_id: decision }),
    ...(answer.retryAfterSeconds === null ? {} : { retry_after_seconds: answer.retryAfterSeconds }),
  }
  const isOutage = answer.status === 429 || answer.status >= 500
  const lines = [
    `the broker ${isOutage ? 'cannot answer now' : 'refused'}: HTTP ${answer.status} ${error}${description && `: ${description}`}`,
    // Only what can be pasted safely is made into a command.
    ...(/^[\w.-]{1,64}$/.test(decision)
      ? [`decision ${decision}: an operator sees why with "mintmark decision ${decision}"`]
      : []),
    ...(uri === '' ? [] : [`about this error: ${uri}`]),
  ]
  return fail(isOutage ? 'unavailable' : 'refused', lines.join('\n'), facts)
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const parseObject = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}
