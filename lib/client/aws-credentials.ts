// Credentials of an AWS role for a job: new evidence for each session, and none shown twice. A session cannot be repeated, so
// the idempotency of tokens does not exist here: what was sent may be spent, whatever came back (design §3, Idempotency).
import { LIMITS } from '../domain/limits.ts'
import { TYPE_AWS_CREDENTIALS } from '../domain/token-request.ts'
import { type ExchangeRequest, exchangeAssertion, newIdempotencyKey } from './exchange.ts'
import { type AssertionWanted, findAssertion } from './find-assertion.ts'
import { done, fail, type Outcome, type Problem } from './outcome.ts'
import type { SendHttp, Timing } from './send-http.ts'
import type { Surroundings } from './surroundings.ts'

/** The members of a `credential_process` document; every one a line of visible ASCII. */
export type AwsCredentials = {
  readonly Version: 1
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly SessionToken: string
  readonly Expiration: string
  readonly AccountId: string
}

export type AwsCredentialsWanted = {
  readonly assertion: AssertionWanted
  readonly target: Pick<ExchangeRequest, 'tenantUrl' | 'audience' | 'grant'>
}

/** Platforms whose evidence may be shown again while it lives: the presets with replay `reuse`. */
const SHOWN_AGAIN: ReadonlySet<string> = new Set(['kubernetes', 'spiffe', 'hcp-terraform', 'gcp'])

/** Each call opens a new session. `send` sends once. */
export const createAwsCredentials = (
  wanted: AwsCredentialsWanted,
  around: Surroundings,
  { send, timing }: { readonly send: SendHttp; readonly timing: Timing },
): (() => Promise<Outcome<AwsCredentials>>) => {
  let shown: string | null = null
  return async () => {
    let last: Problem | null = null
    for (let tries = 1; ; tries += 1) {
      const found = await findAssertion(wanted.assertion, around)
      if (!found.ok) return found
      const { assertion, source } = found.value
      if (assertion === shown && !SHOWN_AGAIN.has(source)) return { ok: false, problem: last ?? SAME_ASSERTION }
      shown = assertion
      const issued = await exchangeAssertion(
        { ...wanted.target, assertion, tokenType: TYPE_AWS_CREDENTIALS, idempotencyKey: newIdempotencyKey() },
        send,
      )
      if (issued.ok) return parseCredentials(issued.value.accessToken)
      if (issued.problem.kind !== 'unavailable' || tries === LIMITS.clientTriesMax) return issued
      last = issued.problem
      await timing.sleep(waitMs(last, timing.random()))
    }
  }
}

const SAME_ASSERTION: Problem = {
  kind: 'refused',
  says: 'the platform gave the assertion that was used before: each session needs a new one',
}

/** What Retry-After says, else a random part of the backoff; never longer than a caller waits. */
const waitMs = ({ facts }: Problem, random: number): number => {
  const asked = facts?.['retry_after_seconds']
  const base = typeof asked === 'number' ? asked * 1_000 : random * LIMITS.clientBackoffBaseMs
  return Math.min(LIMITS.clientBackoffMaxMs, base + random * LIMITS.clientBackoffBaseMs)
}

const MEMBERS = ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration', 'AccountId'] as const

/** Strict: it goes to programs that act on it. Nothing of it is in the problem. */
export const parseCredentials = (text: string): Outcome<AwsCredentials> => {
  const parsed = parseObject(text)
  const strings = MEMBERS.map((name) => parsed[name])
  if (parsed['Version'] !== 1 || !strings.every((value) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)))
    return fail('unavailable', 'the broker answered 200 without credentials of AWS')
  const [AccessKeyId, SecretAccessKey, SessionToken, Expiration, AccountId] = strings as [
    string,
    string,
    string,
    string,
    string,
  ]
  return done({ Version: 1, AccessKeyId, SecretAccessKey, SessionToken, Expiration, AccountId })
}

const parseObject = (text: string): Readonly<Record<string, unknown>> => {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    return {}
  }
}
