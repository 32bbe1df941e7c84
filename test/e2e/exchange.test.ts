// The exchange from outside, over HTTP, through the real broker process and a real SQLite file.
import { spawnSync } from 'node:child_process'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
let globex: string
const assertion = (overrides: Record<string, unknown> = {}) => signAssertion(key, githubClaims(acme, overrides))

beforeAll(async () => {
  broker = await startBroker({
    tenants: {
      acme: githubTenant('acme', { keys: [key] }),
      globex: githubTenant('globex', { keys: [key], orgId: '7777777' }),
    },
  })
  acme = `${broker.url}/t/acme`
  globex = `${broker.url}/t/globex`
})
afterAll(() => removeBroker(broker))

const decision = (id: unknown) => {
  const done = spawnSync(
    process.execPath,
    ['bin/mintmark.ts', 'decision', String(id), '--data', broker.dataDir, '--json'],
    { encoding: 'utf8' },
  )
  return JSON.parse(done.stdout) as Record<string, never>
}

describe('a good exchange', () => {
  test('gives an RFC 9068 token that any relying party can verify from the published keys', async () => {
    const answer = await exchange(acme, assertion(), { audience: TARGET })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      token_type: 'Bearer',
      expires_in: expect.toSatisfy((seconds: number) => seconds > 590 && seconds <= 600),
      scope: 'deploy:read deploy:write',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { payload, protectedHeader } = await jwtVerify(
      String(answer.body['access_token']),
      createRemoteJWKSet(new URL(`${acme}/jwks.json`)),
      { issuer: acme, audience: TARGET, typ: 'at+jwt', algorithms: ['ES256'] },
    )
    expect(protectedHeader.kid).toBeTruthy()
    expect(payload).toMatchObject({
      sub: 'spiffe://acme.example/ci/7654321/production',
      client_id: 'spiffe://acme.example/ci/7654321/production',
      scope: 'deploy:read deploy:write',
      jti: answer.body['decision_id'],
      wid: {
        provider: 'github',
        'org.id': '1234567',
        'project.id': '7654321',
        'ref.full': 'refs/heads/main',
        'environment.name': 'production',
        'run.id': '987654321',
      },
    })
    expect(payload.exp! - payload.iat!).toBe(600)
    expect((payload['rh'] as string[]).length).toBeGreaterThan(5)
  })

  test('works the same through the jwt-bearer grant (RFC 7523)', async () => {
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: assertion(),
      audience: TARGET,
    })
    const response = await fetch(`${acme}/token`, { method: 'POST', body })
    expect(response.status).toBe(200)
  })

  test('signs with RS256 where the audience asks for it', async () => {
    const answer = await exchange(acme, assertion(), { audience: 'https://legacy.acme.example' })
    const { protectedHeader } = await jwtVerify(
      String(answer.body['access_token']),
      createRemoteJWKSet(new URL(`${acme}/jwks.json`)),
      { audience: 'https://legacy.acme.example' },
    )
    expect(protectedHeader.alg).toBe('RS256')
  })

  test('narrows the scope to what was asked', async () => {
    const answer = await exchange(acme, assertion(), { audience: TARGET, scope: 'deploy:read' })
    expect(answer.body['scope']).toBe('deploy:read')
    expect(decodeJwt(String(answer.body['access_token']))['scope']).toBe('deploy:read')
  })

  test('keeps the trace it came with', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const answer = await exchange(
      acme,
      assertion(),
      { audience: TARGET },
      { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    )
    expect(decodeJwt(String(answer.body['access_token']))['txn']).toBe(trace)
    expect(JSON.stringify(decision(answer.body['decision_id']))).toContain(trace)
  })
})

describe('once', () => {
  test('the same assertion again is refused, and the record names the first redemption', async () => {
    const token = assertion()
    const first = await exchange(acme, token, { audience: TARGET })
    const second = await exchange(acme, token, { audience: TARGET })
    expect([first.status, second.status]).toEqual([200, 400])
    expect(second.body['error']).toBe('invalid_request')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(JSON.stringify(decision(second.body['decision_id']))).toContain(String(first.body['decision_id']))
  })

  test('of sixteen racing requests exactly one wins', async () => {
    const token = assertion()
    const answers = await Promise.all(Array.from({ length: 16 }, () => exchange(acme, token, { audience: TARGET })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(15)
  })

  test('a retry with the same Idempotency-Key gets the same identity; with another it is a replay', async () => {
    const token = assertion()
    const headers = { 'idempotency-key': 'k7Vd0pQz1xYw2AbC3dEf4g' }
    const first = await exchange(acme, token, { audience: TARGET }, headers)
    const again = await exchange(acme, token, { audience: TARGET }, headers)
    expect([first.status, again.status]).toEqual([200, 200])
    expect(decodeJwt(String(again.body['access_token']))).toEqual(decodeJwt(String(first.body['access_token'])))
    expect(again.body['decision_id']).not.toBe(first.body['decision_id'])
    const other = await exchange(acme, token, { audience: TARGET }, { 'idempotency-key': 'another0pQz1xYw2AbC3dEf4g' })
    const narrowed = await exchange(acme, token, { audience: TARGET, scope: 'deploy:read' }, headers)
    expect([other.status, narrowed.status]).toEqual([400, 400])
  })

  test('an Idempotency-Key that repeats a value of the evidence is refused: a thief would know it', async () => {
    const jti = 'b0d5f2c49a1e4f7c8d3b6a5e'
    const answer = await exchange(acme, assertion({ jti }), { audience: TARGET }, { 'idempotency-key': jti })
    expect(answer.body['error']).toBe('invalid_request')
  })
})

describe('tenants', () => {
  test('another customer of the same issuer is refused, audience or not', async () => {
    const forGlobex = signAssertion(key, githubClaims(globex))
    const [wrongOwner, wrongAudience] = [
      await exchange(globex, forGlobex, { audience: TARGET }),
      await exchange(acme, forGlobex, { audience: TARGET }),
    ]
    expect([wrongOwner.status, wrongAudience.status]).toEqual([400, 400])
    expect(wrongOwner.body['error_description']).toBe(wrongAudience.body['error_description'])
  })

  test('a tenant that does not exist is 404 and says nothing else', async () => {
    const answer = await exchange(`${broker.url}/t/nobody`, assertion(), { audience: TARGET })
    expect([answer.status, answer.body]).toEqual([404, { error: 'not_found' }])
  })
})

describe('no oracle', () => {
  test('unknown, refused and misnamed targets, and other workloads, all answer invalid_target alike', async () => {
    const answers = [
      await exchange(acme, assertion(), { audience: 'https://nowhere.example' }),
      await exchange(acme, assertion(), { audience: TARGET, grant: 'no-such-grant' }),
      await exchange(acme, assertion({ repository_id: '1' }), { audience: TARGET }),
      await exchange(acme, assertion({ event_name: 'pull_request_target' }), { audience: TARGET }),
      await exchange(acme, assertion({ ref: 'refs/heads/evil' }), { audience: TARGET }),
      await exchange(acme, assertion(), {}), // two audiences, none named
    ]
    for (const { status, body } of answers) {
      const { decision_id: _, ...rest } = body
      expect([status, rest]).toEqual([
        400,
        {
          error: 'invalid_target',
          error_description: answers[0]!.body['error_description'],
          error_uri: answers[0]!.body['error_uri'],
        },
      ])
    }
  })

  test('spent evidence is told so whatever was asked', async () => {
    const token = assertion()
    await exchange(acme, token, { audience: TARGET })
    const probe = await exchange(acme, token, { audience: 'https://nowhere.example' })
    expect(probe.body['error']).toBe('invalid_request')
  })

  test('a refused request does not spend the evidence', async () => {
    const token = assertion()
    await exchange(acme, token, { audience: 'https://nowhere.example' })
    expect((await exchange(acme, token, { audience: TARGET })).status).toBe(200)
  })

  test('scope beyond the grant is invalid_scope', async () => {
    expect((await exchange(acme, assertion(), { audience: TARGET, scope: 'admin' })).body['error']).toBe(
      'invalid_scope',
    )
  })
})

describe('explained', () => {
  test('an operator sees which condition failed, on what value', async () => {
    const denied = await exchange(acme, assertion({ ref: 'refs/heads/feature-x' }), { audience: TARGET })
    await new Promise((resolve) => setTimeout(resolve, 300))
    const text = JSON.stringify(decision(denied.body['decision_id']))
    expect(text).toContain('no_grant_matches')
    expect(text).toContain('refs/heads/feature-x')
    expect(text).toContain('ref.full')
  })
})

describe('HTTP', () => {
  const post = (init: RequestInit, path = '/token') => fetch(`${acme}${path}`, { method: 'POST', ...init })

  test.each([
    ['GET', 405],
    ['PUT', 405],
    ['DELETE', 405],
  ])('%s on the token endpoint is %d with Allow', async (method, status) => {
    const response = await fetch(`${acme}/token`, { method })
    expect([response.status, response.headers.get('allow')]).toEqual([status, 'POST'])
  })

  test('another content type is 415', async () => {
    expect((await post({ body: '{}', headers: { 'content-type': 'application/json' } })).status).toBe(415)
  })

  test('a body over the limit is 413, with and without a declared length', async () => {
    const big = 'x'.repeat(33 * 1024)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await post({ body: big, headers })).status).toBe(413)
    const stream = new ReadableStream({
      start(c) {
        c.enqueue(new TextEncoder().encode(big))
        c.close()
      },
    })
    expect((await post({ body: stream, headers, duplex: 'half' } as RequestInit)).status).toBe(413)
  })

  test('repeated and missing parameters are invalid_request with a decision id', async () => {
    const response = await post({
      body: 'grant_type=a&grant_type=b',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: 'invalid_request', decision_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ])
  })

  test.each(['/token/', '//token', '/token/..', '/Token', '/unknown'])(
    'only exact paths are served: %s',
    async (path) => {
      expect(
        (await post({ body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, path)).status,
      ).toBe(404)
    },
  )

  test('health and readiness say a status and nothing else', async () => {
    expect([await (await fetch(`${broker.url}/healthz`)).text(), (await fetch(`${broker.url}/readyz`)).status]).toEqual(
      ['ok', 200],
    )
  })

  test('under --dev a foreign Host is not answered (DNS rebinding)', async () => {
    const { request } = await import('node:http')
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${broker.url}/healthz`, { headers: { host: 'evil.example' } }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on('error', reject)
        .end()
    })
    expect(status).toBe(421)
  })
})
