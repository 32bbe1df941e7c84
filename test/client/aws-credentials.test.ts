// The job's side of aws-credentials: new evidence for each session, none shown twice; and the endpoint the AWS SDKs ask.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { type AwsCredentials, createAwsCredentials, parseCredentials } from '../../lib/client/aws-credentials.ts'
import { type CredentialsEndpoint, serveContainerCredentials } from '../../lib/client/container-credentials.ts'
import { done, fail, type Outcome } from '../../lib/client/outcome.ts'
import type { HttpAnswer } from '../../lib/client/send-http.ts'
import type { Surroundings } from '../../lib/client/surroundings.ts'

const SESSION: AwsCredentials = {
  Version: 1,
  AccessKeyId: 'ASIAEXAMPLE',
  SecretAccessKey: 'secret+/',
  SessionToken: 'token+/==',
  Expiration: '2027-01-15T08:15:00Z',
  AccountId: '444455556666',
}
const END_MS = Date.parse(SESSION.Expiration)

const issued: HttpAnswer = {
  kind: 'answered',
  status: 200,
  retryAfterSeconds: null,
  body: JSON.stringify({ access_token: JSON.stringify(SESSION), token_type: 'N_A', expires_in: 900, scope: '' }),
}
const later: HttpAnswer = { kind: 'answered', status: 503, retryAfterSeconds: 1, body: '{}' }
const refused: HttpAnswer = {
  kind: 'answered',
  status: 400,
  retryAfterSeconds: null,
  body: '{"error":"invalid_target"}',
}

/** A job: each `answers` is one exchange, each `assertions` what its platform gives next (the last one again and again). */
const job = (answers: HttpAnswer[], assertions: string[], env: Record<string, string> = {}) => {
  const sent: URLSearchParams[] = []
  const keys: string[] = []
  const around: Surroundings = {
    env,
    http: async () => ({ kind: 'failed', says: 'nobody' }),
    readText: async () => (assertions.length > 1 ? assertions.shift()! : assertions[0]!),
    runProgram: async () => ({ kind: 'missing' }),
  }
  const open = createAwsCredentials(
    {
      assertion: { audience: 'https://sts.example.com/t/acme', ...(env['POD'] ? {} : { file: 'a' }) },
      target: { tenantUrl: 'https://sts.example.com/t/acme', audience: undefined, grant: 'deploy' },
    },
    around,
    {
      send: async ({ body, headers }) => {
        sent.push(new URLSearchParams(body))
        keys.push(headers?.['idempotency-key'] ?? '')
        return answers.shift()!
      },
      timing: { nowMs: () => 0, sleep: async () => undefined, random: () => 0 },
    },
  )
  return { open, sent, keys }
}
const A = 'aa.bb.cc'
const B = 'aa.bb.dd'

test('the exchange asks for the kind by its URN and names no audience that was not named', async () => {
  const { open, sent } = job([issued], [A])
  expect(await open()).toEqual(done(SESSION))
  expect(Object.fromEntries(sent[0]!)).toMatchObject({
    requested_token_type: 'urn:mintmark:token-type:aws-credentials',
    grant: 'deploy',
    subject_token: A,
  })
  expect(sent[0]!.has('audience')).toBe(false)
})

test('after "not now" it comes back with new evidence and a new key, for the first may be spent', async () => {
  const { open, sent, keys } = job([later, issued], [A, B])
  expect((await open()).ok).toBe(true)
  expect(sent.map((form) => form.get('subject_token'))).toEqual([A, B])
  expect(new Set(keys).size).toBe(2)
})

test('evidence that stays the same is not shown again, after an outage or for the next session: that would be a replay', async () => {
  const outage = job([later, issued], [A])
  expect(await outage.open()).toMatchObject({ ok: false, problem: { kind: 'unavailable' } })
  expect(outage.sent).toHaveLength(1)
  const next = job([issued, issued], [A])
  expect((await next.open()).ok).toBe(true)
  expect(await next.open()).toMatchObject({ ok: false, problem: { kind: 'refused', says: /a new one/ } })
  expect(next.sent).toHaveLength(1)
})

test("a refusal is final, and the broker's own words are passed on", async () => {
  const { open, sent } = job([refused, issued], [A, B])
  expect(await open()).toMatchObject({ ok: false, problem: { kind: 'refused', facts: { error: 'invalid_target' } } })
  expect(sent).toHaveLength(1)
})

test.each([
  ['no JSON', 'h.p.s'],
  ['null', 'null'],
  ['a member missing', JSON.stringify({ ...SESSION, SessionToken: undefined })],
  ['a line break in a member', JSON.stringify({ ...SESSION, AccessKeyId: 'a\nb' })],
  ['another version', JSON.stringify({ ...SESSION, Version: 2 })],
])('what is no credentials document is not printed: %s', (_name, text) => {
  expect(parseCredentials(text)).toMatchObject({ ok: false, problem: { kind: 'unavailable' } })
})

describe('the endpoint of one command', () => {
  let endpoint: CredentialsEndpoint | null = null
  afterEach(() => endpoint?.close())

  const serve = async (open: () => Promise<Outcome<AwsCredentials>>, nowMs = END_MS - 900_000) => {
    const time = { nowMs }
    endpoint = await serveContainerCredentials(SESSION, open, () => time.nowMs)
    const { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file } = endpoint.env
    const token = readFileSync(file!, 'utf8')
    const get = async (authorization: string | null = token, path = '') => {
      const response = await fetch(`${url}${path}`, authorization === null ? {} : { headers: { authorization } })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    return { get, time, file: file!, url: url! }
  }
  const never = () => Promise.reject(new Error('not asked for'))

  test('gives the container document to who has the token, on loopback only', async () => {
    const { get, url, file } = await serve(never)
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const { Version: _, SessionToken, ...rest } = SESSION
    expect(await get()).toEqual({ status: 200, body: { ...rest, Token: SessionToken } })
    await endpoint!.close()
    expect(existsSync(file)).toBe(false)
  })

  test('gives nothing to anybody else on the machine', async () => {
    const { get } = await serve(never)
    for (const wrong of [null, '', 'Bearer x', 'x'.repeat(43)]) {
      const { status, body } = await get(wrong)
      expect(status).toBe(401)
      expect(JSON.stringify(body)).not.toContain('ASIA')
    }
    expect((await get(undefined, 'other')).status).toBe(404)
  })

  test('opens one new session for all who ask in the last five minutes, and hands out the old one until then', async () => {
    let opened = 0
    const { get, time } = await serve(async () => {
      opened += 1
      return done({ ...SESSION, AccessKeyId: 'ASIASECOND', Expiration: '2027-01-15T08:30:00Z' })
    })
    time.nowMs = END_MS - 301_000
    expect((await get()).body).toMatchObject({ AccessKeyId: 'ASIAEXAMPLE' })
    time.nowMs = END_MS - 300_000
    const all = await Promise.all(Array.from({ length: 5 }, () => get()))
    expect(all.map(({ body }) => body['AccessKeyId'])).toEqual(Array(5).fill('ASIASECOND'))
    expect(opened).toBe(1)
  })

  test('says why there is no new session: 503 where it may come back, 400 where it will not', async () => {
    const answers = [fail('unavailable', 'not now'), fail('refused', 'no')]
    const { get, time } = await serve(async () => answers.shift()!)
    time.nowMs = END_MS
    expect(await get()).toMatchObject({ status: 503, body: { Message: 'not now' } })
    expect(await get()).toMatchObject({ status: 400, body: { Message: 'no' } })
  })
})
