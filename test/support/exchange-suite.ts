// What every host of the broker answers over HTTP, whatever runs behind it: the embedded server and the AWS functions are held to
// this one suite. Its tenants are acme and globex of test/support/tenants.ts; evidence is signed with `key`.
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
// An emulator's decisions may come later than functions wait.
import { patientExchange as exchange } from './broker.ts'
import { githubClaims, type IssuerKey, signAssertion } from './evidence.ts'
import { TARGET } from './tenants.ts'
import { COMES_WITHIN_MS } from './until.ts'

export type HttpTarget = { readonly url: string; readonly key: IssuerKey }

/** `targetOf` is called within tests, when the target is up. */
export const exchangeSuite = (targetOf: () => HttpTarget): void => {
  const acmeUrl = () => `${targetOf().url}/t/acme`
  const globexUrl = () => `${targetOf().url}/t/globex`
  const assertion = (overrides: Record<string, unknown> = {}, tenantUrl = acmeUrl()) =>
    signAssertion(targetOf().key, githubClaims(tenantUrl, overrides))

  describe('a good exchange', () => {
    test('gives an RFC 9068 token that any relying party can verify from the published keys', async () => {
      const answer = await exchange(acmeUrl(), assertion(), { audience: TARGET })
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
        createRemoteJWKSet(new URL(`${acmeUrl()}/jwks.json`), { timeoutDuration: COMES_WITHIN_MS }),
        { issuer: acmeUrl(), audience: TARGET, typ: 'at+jwt', algorithms: ['ES256'] },
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
      const response = await fetch(`${acmeUrl()}/token`, { method: 'POST', body })
      expect(response.status).toBe(200)
    })

    test('signs with RS256 where the audience asks for it', async () => {
      const answer = await exchange(acmeUrl(), assertion(), { audience: 'https://legacy.acme.example' })
      const { protectedHeader } = await jwtVerify(
        String(answer.body['access_token']),
        createRemoteJWKSet(new URL(`${acmeUrl()}/jwks.json`), { timeoutDuration: COMES_WITHIN_MS }),
        { audience: 'https://legacy.acme.example' },
      )
      expect(protectedHeader.alg).toBe('RS256')
    })

    test('narrows the scope to what was asked', async () => {
      const answer = await exchange(acmeUrl(), assertion(), { audience: TARGET, scope: 'deploy:read' })
      expect(answer.body['scope']).toBe('deploy:read')
      expect(decodeJwt(String(answer.body['access_token']))['scope']).toBe('deploy:read')
    })
  })

  describe('discovery', () => {
    test.each([
      (tenantUrl: string) => `${tenantUrl}/.well-known/openid-configuration`,
      (tenantUrl: string) => tenantUrl.replace('/t/', '/.well-known/oauth-authorization-server/t/'),
    ])('metadata names its issuer, its token endpoint and its keys: %#', async (place) => {
      const response = await fetch(place(acmeUrl()))
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({
        issuer: acmeUrl(),
        token_endpoint: `${acmeUrl()}/token`,
        jwks_uri: `${acmeUrl()}/jwks.json`,
      })
    })

    test('the key set has no private part', async () => {
      const { keys } = (await (await fetch(`${acmeUrl()}/jwks.json`)).json()) as { keys: Record<string, unknown>[] }
      expect(keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'RS256'])
      for (const key of keys) expect(Object.keys(key)).not.toContain('d')
    })
  })

  describe('once', () => {
    test('the same assertion again is refused', async () => {
      const token = assertion()
      const first = await exchange(acmeUrl(), token, { audience: TARGET })
      const second = await exchange(acmeUrl(), token, { audience: TARGET })
      expect([first.status, second.status]).toEqual([200, 400])
      expect(second.body['error']).toBe('invalid_request')
    })

    test('a retry with the same Idempotency-Key gets the same identity; with another it is a replay', async () => {
      const token = assertion()
      const headers = { 'idempotency-key': 'k7Vd0pQz1xYw2AbC3dEf4g' }
      const first = await exchange(acmeUrl(), token, { audience: TARGET }, headers)
      const again = await exchange(acmeUrl(), token, { audience: TARGET }, headers)
      expect([first.status, again.status]).toEqual([200, 200])
      expect(decodeJwt(String(again.body['access_token']))).toEqual(decodeJwt(String(first.body['access_token'])))
      expect(again.body['decision_id']).not.toBe(first.body['decision_id'])
      const other = await exchange(
        acmeUrl(),
        token,
        { audience: TARGET },
        { 'idempotency-key': 'another0pQz1xYw2AbC3dEf4g' },
      )
      const narrowed = await exchange(acmeUrl(), token, { audience: TARGET, scope: 'deploy:read' }, headers)
      expect([other.status, narrowed.status]).toEqual([400, 400])
    })

    test('an Idempotency-Key that repeats a value of the evidence is refused: a thief would know it', async () => {
      const jti = 'b0d5f2c49a1e4f7c8d3b6a5e'
      const answer = await exchange(acmeUrl(), assertion({ jti }), { audience: TARGET }, { 'idempotency-key': jti })
      expect(answer.body['error']).toBe('invalid_request')
    })
  })

  describe('tenants', () => {
    test('another customer of the same issuer is refused, audience or not', async () => {
      const forGlobex = assertion({}, globexUrl())
      const [wrongOwner, wrongAudience] = [
        await exchange(globexUrl(), forGlobex, { audience: TARGET }),
        await exchange(acmeUrl(), forGlobex, { audience: TARGET }),
      ]
      expect([wrongOwner.status, wrongAudience.status]).toEqual([400, 400])
      expect(wrongOwner.body['error_description']).toBe(wrongAudience.body['error_description'])
    })

    test('a tenant that does not exist is 404 and says nothing else', async () => {
      const answer = await exchange(`${targetOf().url}/t/nobody`, assertion(), { audience: TARGET })
      expect([answer.status, answer.body]).toEqual([404, { error: 'not_found' }])
    })
  })

  describe('no oracle', () => {
    test('unknown, refused and misnamed targets, and other workloads, all answer invalid_target alike', async () => {
      const answers = [
        await exchange(acmeUrl(), assertion(), { audience: 'https://nowhere.example' }),
        await exchange(acmeUrl(), assertion(), { audience: TARGET, grant: 'no-such-grant' }),
        await exchange(acmeUrl(), assertion({ repository_id: '1' }), { audience: TARGET }),
        await exchange(acmeUrl(), assertion({ event_name: 'pull_request_target' }), { audience: TARGET }),
        await exchange(acmeUrl(), assertion({ ref: 'refs/heads/evil' }), { audience: TARGET }),
        await exchange(acmeUrl(), assertion(), {}), // two audiences, none named
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
      await exchange(acmeUrl(), token, { audience: TARGET })
      const probe = await exchange(acmeUrl(), token, { audience: 'https://nowhere.example' })
      expect(probe.body['error']).toBe('invalid_request')
    })

    test('a refused request does not spend the evidence', async () => {
      const token = assertion()
      await exchange(acmeUrl(), token, { audience: 'https://nowhere.example' })
      expect((await exchange(acmeUrl(), token, { audience: TARGET })).status).toBe(200)
    })

    test('scope beyond the grant is invalid_scope', async () => {
      expect((await exchange(acmeUrl(), assertion(), { audience: TARGET, scope: 'admin' })).body['error']).toBe(
        'invalid_scope',
      )
    })
  })

  describe('HTTP', () => {
    const post = (init: RequestInit) => fetch(`${acmeUrl()}/token`, { method: 'POST', ...init })

    test.each([
      ['GET', 405],
      ['PUT', 405],
      ['DELETE', 405],
    ])('%s on the token endpoint is %d with Allow', async (method, status) => {
      const response = await fetch(`${acmeUrl()}/token`, { method })
      expect([response.status, response.headers.get('allow')]).toEqual([status, 'POST'])
    })

    test('another content type is 415', async () => {
      expect((await post({ body: '{}', headers: { 'content-type': 'application/json' } })).status).toBe(415)
    })

    test('a body over the limit is 413, with and without a declared length', async () => {
      const big = 'x'.repeat(33 * 1024)
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const declared = await post({ body: big, headers })
      expect(declared.status).toBe(413)
      expect(await declared.json()).toMatchObject({ error_uri: expect.stringContaining('#content_too_large') })
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

    test.each(['', 'garbage', 'not.a.jwt', `${'a'.repeat(40)}.${'b'.repeat(40)}.${'c'.repeat(40)}`])(
      'garbage for evidence is 400, with a decision id, kept by no cache: %s',
      async (garbage) => {
        const { status, headers, body } = await exchange(acmeUrl(), garbage, { audience: TARGET })
        expect([status, headers.get('cache-control')]).toEqual([400, 'no-store'])
        expect(body['decision_id']).toMatch(/^[0-9a-f-]{36}$/)
      },
    )
  })
}
