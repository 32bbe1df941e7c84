// aws-credentials through the whole of mint, on the memory adapters: the order of P5, no second identity, nothing that leaks.
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { createMemoryCloudSessions, type MemoryCloud } from '../../lib/adapters/memory/cloud-sessions.ts'
import { refuse } from '../../lib/domain/refusal.ts'
import { ok } from '../../lib/domain/result.ts'
import { TYPE_AWS_CREDENTIALS } from '../../lib/domain/token-request.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { exchangeToken } from '../../lib/flows/exchange-token.ts'
import type { MintPorts } from '../../lib/flows/mint-credential.ts'
import type { MintRequest } from '../../lib/ports/mint.ts'
import { issuerKey } from '../support/evidence.ts'
import { ownKeys } from '../support/own-keys.ts'
import { BASE_URL, memoryMint } from './memory-mint.ts'

const key = issuerKey('RS256')
const OWN = ownKeys()
const ROLE = 'arn:aws:iam::444455556666:role/mintmark/t/acme/deployer'
const grants = (entry: string) => `
  deploy-prod:
    from: github
    match: { project.id: "7654321", ref.full: refs/heads/main }
    identity: /ci/{project.id}/{environment.name}
    issue:
      - { type: access_token, audience: [https://deploy.acme.example], scope: [deploy:read], ttl: 10m }
      - ${entry}
`
const WEB = grants(`{ type: aws-credentials, role: "${ROLE}", ttl: 15m }`)
const ASSUME = grants(`{ type: aws-credentials, role: "${ROLE}", via: assume-role }`)

type Answer = NonNullable<Parameters<typeof createMemoryCloudSessions>[1]>

const start = async (
  text = WEB,
  answer: Answer = async () => ok(null),
  change: (ports: MintPorts) => MintPorts = (ports) => ports,
) => {
  let cloud: MemoryCloud | undefined
  const world = await memoryMint(
    key,
    (ports) => {
      cloud = createMemoryCloudSessions(ports.clock.nowSeconds, answer)
      return change({ ...ports, cloudSessions: cloud })
    },
    { own: OWN, acmeGrants: text },
  )
  const request = (evidence: string, more: Partial<MintRequest> = {}) =>
    world.request(evidence, {
      target: { type: TYPE_AWS_CREDENTIALS, audiences: [], scope: null, grant: null },
      ...more,
    })
  return { ...world, request, orders: cloud!.orders }
}

const tokenOf = (order: object): string => ('token' in order ? String(order.token) : '')

test('a session: the answer is the credential_process document, the record names it, the token to AWS is in neither', async () => {
  const world = await start()
  const request = world.request(world.assertion())
  const answer = await world.mint(request)
  if (!answer.ok) throw new Error(answer.refusal.kind)
  expect(answer.credential).toMatchObject({
    issuedTokenType: TYPE_AWS_CREDENTIALS,
    tokenType: 'N_A',
    expiresInSeconds: 900,
    scope: '',
  })
  expect(JSON.parse(answer.credential.accessToken)).toMatchObject({ Version: 1, AccountId: '444455556666' })

  expect(world.orders).toHaveLength(1)
  const [order] = world.orders
  expect(order).toMatchObject({ role: ROLE, durationSeconds: 900, sessionName: `mintmark-${request.decisionId}` })
  const token = tokenOf(order!)
  const { kid } = decodeProtectedHeader(token)
  const own = (await OWN.store.list('acme')).find((row) => row.kid === kid)
  const { payload } = await jwtVerify(token, await importJWK({ ...own?.publicJwk }, 'ES256'), {
    audience: `${BASE_URL}/t/acme/aws/444455556666`,
    currentDate: new Date(world.clock.nowMs()),
  })
  expect(payload).toMatchObject({ jti: request.decisionId, 'https://aws.amazon.com/roles': ROLE })
  expect(payload.exp! - payload.iat!).toBe(60)

  const records = await world.grants.records()
  expect(records).toHaveLength(1)
  expect(records[0]?.credential).toMatchObject({
    type: 'aws-credentials',
    jti: request.decisionId,
    scope: '',
    session: { role: ROLE, sourceIdentity: `acme.${request.decisionId.replaceAll('-', '')}` },
  })
  const written = JSON.stringify(records)
  for (const secret of [token, 'memory+secret', 'memory+session', 'ASIAMEMORY']) expect(written).not.toContain(secret)
  expect(answer.credential.accessToken).not.toContain(token)
})

test('the front door answers in the shape of RFC 8693: the document as access_token, its own type, N_A', async () => {
  const world = await start()
  const answer = await exchangeToken(world.attestPorts, {
    tenant: 'acme',
    token: {
      ok: true,
      value: world.request(world.assertion()),
    },
    dpop: null,
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    source: '192.0.2.1',
  })
  expect(answer).toMatchObject({
    kind: 'issued',
    credential: { issuedTokenType: TYPE_AWS_CREDENTIALS, tokenType: 'N_A' },
  })
})

describe('P5: the cloud is asked last', () => {
  test('the record is durable before, and a revocation of any kind written before the second read stops it', async () => {
    for (const [kind, value] of [
      ['session', (id: string) => `acme.${id.replaceAll('-', '')}`],
      ['subject', () => 'spiffe://acme.example/ci/7654321/production'],
      ['grant', () => 'deploy-prod'],
      ['tenant', () => 'acme'],
    ] as const) {
      const request: { current?: MintRequest } = {}
      const world = await start(WEB, undefined, (ports) => ({
        ...ports,
        grants: {
          ...ports.grants,
          async put(put) {
            const outcome = await ports.grants.put(put)
            await world.revocations.put({
              id: 'r-1',
              tenant: 'acme',
              kind,
              issuer: '',
              value: value(request.current!.decisionId),
              form: 'block',
              notBeforeSeconds: null,
              reason: 'test',
              by: 'test',
              atSeconds: 1,
            })
            return outcome
          },
        },
      }))
      request.current = world.request(world.assertion())
      const answer = await world.mint(request.current)
      expect(answer).toMatchObject({ ok: false, refusal: { kind: 'revoked', detail: { kind } } })
      expect(world.orders).toEqual([])
      expect(await world.grants.outcomes()).toHaveLength(1)
    }
  })

  test('a configuration that names another role or a shorter time meanwhile gives no session', async () => {
    for (const changed of [WEB.replace('deployer', 'other'), WEB.replace('ttl: 15m', 'ttl: 20m')]) {
      const world = await start(WEB, undefined, (ports) => ({
        ...ports,
        grants: {
          ...ports.grants,
          async put(put) {
            const outcome = await ports.grants.put(put)
            await world.grantToAcme(changed)
            return outcome
          },
        },
      }))
      const answer = await world.mint(world.request(world.assertion()))
      expect(answer).toMatchObject({ ok: false, refusal: { kind: 'changed_underway' } })
      expect(world.orders).toEqual([])
    }
  })
})

describe('what the cloud says', () => {
  test('a throttle is 503 and on record as not issued; nothing else is tried', async () => {
    const world = await start(WEB, () => Promise.reject(new Unavailable('cloud_unavailable')))
    await expect(world.mint(world.request(world.assertion()))).rejects.toMatchObject({ kind: 'cloud_unavailable' })
    expect(world.orders).toHaveLength(1)
    expect((await world.grants.outcomes()).map(({ refusal }) => refusal.kind)).toEqual(['cloud_unavailable'])
  })

  test('a refusal is a refusal, and on record as not issued', async () => {
    const world = await start(WEB, async () => refuse('cloud_refused', { code: 'AccessDenied' }))
    expect(await world.mint(world.request(world.assertion()))).toMatchObject({
      ok: false,
      refusal: { kind: 'cloud_refused', detail: { code: 'AccessDenied' } },
    })
    expect(await world.grants.outcomes()).toHaveLength(1)
  })
})

describe('no second identity', () => {
  test('a repeat with its Idempotency-Key is a replay: a cloud gives no session twice', async () => {
    const world = await start()
    const evidence = world.assertion()
    const idempotencyKey = 'k'.repeat(22)
    expect((await world.mint(world.request(evidence, { idempotencyKey }))).ok).toBe(true)
    expect(await world.mint(world.request(evidence, { idempotencyKey }))).toMatchObject({
      ok: false,
      refusal: { kind: 'replayed' },
    })
    expect(world.orders).toHaveLength(1)
  })

  test('evidence spent on a token opens no session, and the other way round', async () => {
    const world = await start()
    const [first, second] = [world.assertion(), world.assertion()]
    const token = { type: null, audiences: ['https://deploy.acme.example'], scope: null, grant: null }
    expect((await world.mint(world.request(first, { target: token }))).ok).toBe(true)
    expect((await world.mint(world.request(first))).ok).toBe(false)
    expect((await world.mint(world.request(second))).ok).toBe(true)
    expect((await world.mint(world.request(second, { target: token }))).ok).toBe(false)
    expect(world.orders).toHaveLength(1)
  })
})

describe('the fallback with an external id', () => {
  test("the external id is the broker's, tags and source identity go along, and no token is made", async () => {
    const world = await start(ASSUME)
    const request = world.request(world.assertion())
    expect((await world.mint(request)).ok).toBe(true)
    expect(world.orders).toEqual([
      {
        role: ROLE,
        durationSeconds: 900,
        sessionName: `mintmark-${request.decisionId}`,
        externalId: expect.stringMatching(/^mintmark-acme-[\w-]{22}$/),
        sourceIdentity: `acme.${request.decisionId.replaceAll('-', '')}`,
        tags: {
          'mintmark-tenant': 'acme',
          'mintmark-run': '987654321',
          'mintmark-sub': 'spiffe://acme.example/ci/7654321/production',
        },
        transitiveTags: ['mintmark-tenant'],
      },
    ])
  })

  test('a broker without credentials of the cloud does not know the target, and spends no evidence on it', async () => {
    const world = await start(ASSUME, undefined, (ports) => ({
      ...ports,
      cloudSessions: { webIdentity: ports.cloudSessions!.webIdentity, assumedRole: null },
    }))
    expect(await world.mint(world.request(world.assertion()))).toMatchObject({
      ok: false,
      refusal: { kind: 'target_unknown' },
    })
    expect(await world.grants.records()).toEqual([])
  })
})

test('a broker that issues no sessions offers no such type', async () => {
  const world = await start(WEB, undefined, ({ cloudSessions: _, ...ports }) => ports)
  expect(await world.mint(world.request(world.assertion()))).toMatchObject({
    ok: false,
    refusal: { kind: 'parameter_unsupported' },
  })
})

test('a type that only looks like one of an object is not offered either', async () => {
  const world = await start()
  for (const type of ['__proto__', 'constructor', 'urn:mintmark:token-type:aws-credentials '])
    expect(
      await world.mint(world.request(world.assertion(), { target: { type, audiences: [], scope: null, grant: null } })),
    ).toMatchObject({ ok: false, refusal: { kind: 'parameter_unsupported' } })
})

test('the token to AWS has no audience that an access token of the tenant could have', async () => {
  const world = await start()
  await world.mint(world.request(world.assertion()))
  expect(decodeJwt(tokenOf(world.orders[0]!)).aud).toBe(`${BASE_URL}/t/acme/aws/444455556666`)
})
