// Introspection over HTTP against the real broker (RFC 7662, design §5): who may ask, what is told, and that nothing else is.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { run as unblock } from '../../bin/commands/unblock.ts'
import { REVOCATION_KINDS, type RevocationKind } from '../../lib/domain/revocation.ts'
import { type RunningBroker, removeBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { call, OTHER_TARGET, type Right, startOperatorBroker, tokenOf } from '../support/operators.ts'
import { TARGET } from '../support/tenants.ts'

const INACTIVE = '{"active":false}'
const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
let globex: string
beforeAll(async () => {
  ;({ broker, acme, globex } = await startOperatorBroker(key))
})
afterAll(() => removeBroker(broker))

const mint = (right: Right, more: Partial<Parameters<typeof tokenOf>[1]> = {}) => tokenOf(acme, { key, right, ...more })
const mintThere = (right: Right) => tokenOf(globex, { key, right, orgId: '7777777' })
const introspect = async (token: string, bearer: string, tenantUrl = acme) =>
  call(`${tenantUrl}/introspect`, { bearer, form: { token } })
const operate = async (run: typeof revoke, ...args: string[]) => {
  const io = captureIo()
  expect(await run([...args, '--data', broker.dataDir, '--json'], io), io.err()).toBe(0)
  return JSON.parse(io.out()) as Record<string, unknown>
}

test('a live token is told with the claims of RFC 7662 and nothing that is ours alone', async () => {
  const [{ token, jti }, reader] = [await mint('deploy'), await mint('reader')]
  const { status, headers, text } = await introspect(token, reader.token)
  const told = JSON.parse(text) as Record<string, unknown>
  expect([status, headers.get('cache-control'), headers.get('content-type')]).toEqual([
    200,
    'no-store',
    'application/json',
  ])
  expect(told).toMatchObject({ active: true, token_type: 'Bearer', iss: acme, aud: TARGET, jti })
  expect(told['sub']).toBe(told['client_id'])
  expect(Object.keys(told)).not.toEqual(expect.arrayContaining(['rh']))
})

describe('exactly {"active":false}', () => {
  const cases: readonly (readonly [string, () => Promise<string>])[] = [
    ['no token at all', async () => 'x'],
    ['a token of another tenant, live there', async () => (await mintThere('deploy')).token],
    [
      'a token whose payload was changed',
      async () => {
        const [header, payload, signature] = (await mint('deploy')).token.split('.') as [string, string, string]
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
        const changed = Buffer.from(JSON.stringify({ ...claims, scope: 'admin' })).toString('base64url')
        return [header, changed, signature].join('.')
      },
    ],
    [
      'a token with another typ',
      async () => {
        const [, payload, signature] = (await mint('deploy')).token.split('.') as [string, string, string]
        return [Buffer.from('{"typ":"JWT","alg":"ES256","kid":"x"}').toString('base64url'), payload, signature].join(
          '.',
        )
      },
    ],
    ['what an issuer signed and not we', async () => signAssertion(key, githubClaims(acme))],
  ]
  test.each(cases)('for %s', async (_, make) => {
    const reader = await mint('reader')
    const { status, text } = await introspect(await make(), reader.token)
    expect([status, text]).toEqual([200, INACTIVE])
  })

  test('for an audience the caller may not ask about, though the token is live', async () => {
    const narrow = await mint('narrow')
    const [mine, other] = [await mint('deploy'), await mint('deploy', { audience: OTHER_TARGET })]
    expect(JSON.parse((await introspect(mine.token, narrow.token)).text)).toMatchObject({ active: true })
    expect((await introspect(other.token, narrow.token)).text).toBe(INACTIVE)
    // Not even about itself: its own audience is not among those it introspects.
    expect((await introspect(narrow.token, narrow.token)).text).toBe(INACTIVE)
  })
})

describe('a revocation counts with the next call, whatever its kind, and an unblock too', () => {
  type Minted = { readonly jti: string; readonly runId: string; readonly assertion: string; readonly ownKid: string }
  const selectors: Readonly<Record<RevocationKind, ((minted: Minted) => string[]) | null>> = {
    credential: ({ jti }) => ['--jti', jti],
    assertion: ({ assertion }) => ['--assertion', assertion],
    subject: () => ['--sub', 'spiffe://acme.example/ops/7654321/deploy'],
    run: ({ runId }) => ['--run', runId],
    project: () => ['--project', '7654321'],
    actor: () => ['--actor', '42'],
    issuer: () => ['--issuer', 'github'],
    issuer_key: () => ['--issuer-key', key.kid],
    own_key: ({ ownKid }) => ['--own-key', ownKid],
    grant: () => ['--grant', 'deploy'],
    session: null, // an access token has none
    tenant: () => ['--all'],
  }
  test('the table has a row for every kind', () => {
    expect(Object.keys(selectors)).toEqual(Object.keys(REVOCATION_KINDS))
  })
  test.each(Object.entries(selectors).filter(([, select]) => select !== null))('%s', async (kind, select) => {
    const runId = String(Math.floor(Math.random() * 1e9))
    const [{ token, jti }, reader] = [await mint('deploy', { claims: { run_id: runId } }), await mint('reader')]
    const would = await operate(revoke, '--tenant', 'acme', '--jti', jti, '--dry-run')
    const [, assertion] = (would['order'] as { selectors: { value: string }[] }).selectors
    const header = JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string }
    const args = select!({ jti, runId, assertion: assertion!.value, ownKid: header.kid })

    expect(JSON.parse((await introspect(token, reader.token)).text)).toMatchObject({ active: true })
    const order = await operate(revoke, '--tenant', 'acme', '--reason', 'test', ...args)
    const after = await introspect(token, reader.token)
    // Where the caller's own token is hit as well, it learns nothing at all any more.
    const hitsReader = ['project', 'actor', 'issuer', 'issuer_key', 'own_key', 'tenant'].includes(kind)
    expect(hitsReader ? after.status : after.text).toBe(hitsReader ? 401 : INACTIVE)

    for (const id of order['revocations'] as string[]) await operate(unblock, id, '--reason', 'test is over')
    expect(JSON.parse((await introspect(token, reader.token)).text)).toMatchObject({ active: true })
  })
})

describe('who may not ask', () => {
  const challenge = (headers: Headers) => headers.get('www-authenticate')
  const metadata = () => `resource_metadata="${acme.replace('/t/', '/.well-known/oauth-protected-resource/t/')}"`

  test('no credentials: 401 that names no error and says where to learn more (RFC 6750 §3.1, RFC 9728)', async () => {
    const { token } = await mint('deploy')
    const { status, headers } = await call(`${acme}/introspect`, { form: { token } })
    const bound = 'DPoP algs="ES256 ES384 RS256 PS256"'
    expect([status, challenge(headers)]).toEqual([401, `Bearer ${metadata()}, ${bound}`])
    const there = /resource_metadata="([^"]+)"/.exec(challenge(headers) ?? '')?.[1]
    expect(await (await fetch(there!)).json()).toMatchObject({ resource: acme, authorization_servers: [acme] })
  })

  test('every bad token gets the same 401, byte for byte but for the decision id', async () => {
    const { token } = await mint('deploy')
    const revoked = await mint('reader')
    await operate(revoke, '--tenant', 'acme', '--reason', 'test', '--jti', revoked.jti)
    const bad = ['x', `${revoked.token}x`, revoked.token, (await mintThere('reader')).token, token.slice(0, -4)]
    const answers = await Promise.all(
      bad.map(async (bearer) => {
        const { status, headers, text } = await introspect(token, bearer)
        const { decision_id: id, ...body } = JSON.parse(text) as Record<string, unknown>
        expect(id).toMatch(/^[0-9a-f-]{36}$/)
        return JSON.stringify([status, challenge(headers), body])
      }),
    )
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).toContain('Bearer error=\\"invalid_token\\"')
    expect(answers[0]).toContain('"error":"invalid_client"')
  })

  test('a live token for another audience authenticates nobody here: the same 401 as a bad one', async () => {
    const { token } = await mint('deploy')
    const { status, headers } = await introspect(token, (await mint('deploy')).token)
    expect([status, challenge(headers)]).toEqual([
      401,
      `Bearer error="invalid_token", ${metadata()}, DPoP algs="ES256 ES384 RS256 PS256"`,
    ])
  })

  test.each(['revoker', 'operator', 'auditor'] as const)(
    'a live %s token is 403: a scope counts only for its own purpose',
    async (right) => {
      const { token } = await mint('deploy')
      const { status, headers } = await introspect(token, (await mint(right)).token)
      expect([status, challenge(headers)]).toEqual([
        403,
        `Bearer error="insufficient_scope", scope="introspect", ${metadata()}`,
      ])
    },
  )

  test('the reader of one tenant learns nothing at another', async () => {
    const reader = await mint('reader')
    expect((await introspect((await mintThere('deploy')).token, reader.token, globex)).status).toBe(401)
  })

  test('an unknown tenant is 404, with or without credentials', async () => {
    const url = acme.replace('acme', 'nobody')
    expect((await introspect('x', (await mint('reader')).token, url)).status).toBe(404)
    expect((await call(`${url}/introspect`, { form: { token: 'x' } })).status).toBe(404)
  })
})

test('what is no such request: method, type, a missing and a repeated token', async () => {
  const { token } = await mint('reader')
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' }
  const statuses = await Promise.all([
    fetch(`${acme}/introspect`, { headers }),
    fetch(`${acme}/introspect`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{}',
    }),
    fetch(`${acme}/introspect`, { method: 'POST', headers, body: 'tok=1' }),
    fetch(`${acme}/introspect`, { method: 'POST', headers, body: 'token=1&token=2' }),
  ])
  expect(statuses.map(({ status }) => status)).toEqual([405, 415, 400, 400])
})
