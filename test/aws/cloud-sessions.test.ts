// aws-credentials from evidence to a session that AWS takes: the whole of mint, real tokens, and an STS that verifies them and
// asks trust policies. Time is the machine's, as signatures of requests need it.
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createStsAssumedRole } from '../../lib/adapters/aws/sts-assumed-role.ts'
import { createStsWebIdentity } from '../../lib/adapters/aws/sts-web-identity.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { createMemorySigningKeyStore } from '../../lib/adapters/memory/signing-key-store.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { externalIdOf } from '../../lib/domain/aws-session.ts'
import { publishedKeys } from '../../lib/domain/key-rotation.ts'
import { TYPE_AWS_CREDENTIALS } from '../../lib/domain/token-request.ts'
import { jwksDocument } from '../../lib/wire/jwks.ts'
import { BASE_URL, memoryMint } from '../security/memory-mint.ts'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { issuerKey } from '../support/evidence.ts'
import { ownKeys } from '../support/own-keys.ts'
import { credentialsCloud, DEPLOYER, FALLBACK, MINT_ROLE, OPEN, OTHER } from './credentials-cloud.ts'

const key = issuerKey('RS256')
const OWN = ownKeys(createMemorySigningKeyStore(), { ...systemClock, add: () => undefined, step: () => undefined })
const ISSUER = `${BASE_URL}/t/acme`
const EXTERNAL_ID = externalIdOf({ tenant: 'acme', issuerUrl: ISSUER, role: FALLBACK }, nodeDigest.sha256)

let aws: Aws
beforeAll(async () => {
  aws = await startAws({
    cloud: credentialsCloud(ISSUER),
    publishedKeys: async () =>
      JSON.parse(JSON.stringify(jwksDocument(publishedKeys(await OWN.store.list('acme'), 'token')))),
  })
})
afterAll(() => aws.stop())
beforeEach(() => {
  aws.faults.inject([])
  aws.recorder.clear()
})

/** Monotonic milliseconds of the fallback's memory. */
let elapsedMs = 0
const cloudSessions = () => ({
  webIdentity: createStsWebIdentity({
    http: createGuardedHttp({ dev: true, egressAllow: [] }),
    region: null,
    endpoint: `${aws.endpoint}/`,
  }),
  assumedRole: createStsAssumedRole({
    sts: new STSClient({ ...aws.client(aws.credentialsFor('mint')), maxAttempts: 1 }),
    clock: { monotonicMs: () => elapsedMs },
  }),
})

const start = async (role: string, more = '') => {
  const sessions = cloudSessions()
  const tokens: string[] = []
  const grants = `
  deploy-prod:
    from: github
    match: { project.id: "7654321", ref.full: refs/heads/main }
    identity: /ci/{project.id}/{environment.name}
    issue: [{ type: aws-credentials, role: "${role}", ttl: 15m${more} }]
`
  const watched = {
    ...sessions,
    webIdentity: {
      open: (order: Parameters<typeof sessions.webIdentity.open>[0]) => {
        tokens.push(order.token)
        return sessions.webIdentity.open(order)
      },
    },
  }
  const world = await memoryMint(key, (ports) => ({ ...ports, cloudSessions: watched }), {
    own: OWN,
    acmeGrants: grants,
  })
  const mint = () =>
    world.mint(
      world.request(world.assertion(), {
        target: { type: TYPE_AWS_CREDENTIALS, audiences: [], scope: null, grant: null },
      }),
    )
  return { ...world, mint, tokens, sessions }
}

type Answer = Awaited<ReturnType<Awaited<ReturnType<typeof start>>['mint']>>

/** The session as an SDK uses it. */
const clientOf = (answer: Answer): STSClient => {
  if (!answer.ok) throw new Error(JSON.stringify(answer.refusal))
  const document = JSON.parse(answer.credential.accessToken) as Record<string, string>
  const credentials = {
    accessKeyId: document['AccessKeyId']!,
    secretAccessKey: document['SecretAccessKey']!,
    sessionToken: document['SessionToken']!,
    expiration: new Date(document['Expiration']!),
  }
  return new STSClient(aws.client(credentials))
}

const decisions = () => aws.recorder.entries().map(({ action, decision }) => `${action} ${decision.outcome}`)

describe('by web identity', () => {
  test('the session works, is of the role, and carries tenant, run, workload and decision', async () => {
    const world = await start(DEPLOYER)
    const answer = await world.mint()
    const { Arn } = await clientOf(answer).send(new GetCallerIdentityCommand({}))
    const [record] = await world.grants.records()
    expect(Arn).toBe(`arn:aws:sts::444455556666:assumed-role/deployer/mintmark-${record?.decisionId}`)
    const [asked] = aws.recorder.entries()
    expect(asked).toMatchObject({
      action: 'sts:AssumeRoleWithWebIdentity',
      principal: { role: null },
      context: {
        'sts:RoleAuthorizedByIdp': 'true',
        'sts:SourceIdentity': record?.credential.session?.sourceIdentity,
        'aws:RequestTag/mintmark-tenant': 'acme',
        'aws:RequestTag/mintmark-run': '987654321',
        'aws:RequestTag/mintmark-sub': 'spiffe://acme.example/ci/7654321/production',
      },
    })
  })

  test('its token opens no other role, though that one trusts the same broker and the same workload', async () => {
    const world = await start(DEPLOYER)
    expect((await world.mint()).ok).toBe(true)
    const order = { sessionName: 'mintmark-x', durationSeconds: 900, token: world.tokens[0]! }
    expect((await world.sessions.webIdentity.open({ ...order, role: DEPLOYER })).ok).toBe(true)
    expect(await world.sessions.webIdentity.open({ ...order, role: OTHER })).toEqual({
      ok: false,
      refusal: { kind: 'cloud_refused', detail: { code: 'AccessDenied' } },
    })
  })

  test('a role that does not trust the issuer of the tenant is refused, on record', async () => {
    const world = await start(FALLBACK)
    expect(await world.mint()).toMatchObject({ ok: false, refusal: { kind: 'cloud_refused' } })
    expect(await world.grants.outcomes()).toHaveLength(1)
  })

  test.each([
    ['throttled', { kind: 'throttle' }],
    ['broken', { kind: 'error', status: 503 }],
    ['silent', { kind: 'hang', ms: 60_000 }],
    ['cut off after it acted', { kind: 'drop' }],
  ] as const)('an STS that is %s: unavailable, asked once, on record as not issued', async (_name, fault) => {
    const world = await start(DEPLOYER)
    aws.faults.inject([{ action: 'sts:AssumeRoleWithWebIdentity', percent: 100, ...fault }])
    await expect(world.mint()).rejects.toMatchObject({ kind: 'cloud_unavailable' })
    expect(aws.faults.struck).toEqual([1])
    expect((await world.grants.outcomes()).map(({ refusal }) => refusal.kind)).toEqual(['cloud_unavailable'])
  })
})

describe('with an external id', () => {
  const ASSUME = ', via: assume-role'

  test('first without it, which must be refused, then with it; the proof holds for an hour', async () => {
    elapsedMs = 0
    const world = await start(FALLBACK, ASSUME)
    const { Arn } = await clientOf(await world.mint()).send(new GetCallerIdentityCommand({}))
    expect(Arn).toMatch(/assumed-role\/fallback\/mintmark-/)
    const assumed = () => decisions().filter((each) => each.startsWith('sts:AssumeRole '))
    expect(assumed()).toEqual(['sts:AssumeRole ImplicitlyDenied', 'sts:AssumeRole Allowed'])
    expect(aws.recorder.entries()[0]?.context).not.toHaveProperty('sts:ExternalId')

    aws.recorder.clear()
    expect((await world.mint()).ok).toBe(true)
    expect(assumed()).toEqual(['sts:AssumeRole Allowed'])

    elapsedMs = 3_600_000
    aws.recorder.clear()
    expect((await world.mint()).ok).toBe(true)
    expect(assumed()).toEqual(['sts:AssumeRole ImplicitlyDenied', 'sts:AssumeRole Allowed'])
  })

  test('a role that can be assumed without it is not used at all: anybody could have the broker assume it', async () => {
    const world = await start(OPEN, ASSUME)
    expect(await world.mint()).toMatchObject({ ok: false, refusal: { kind: 'cloud_trust_open' } })
    expect(await world.mint()).toMatchObject({ ok: false, refusal: { kind: 'cloud_trust_open' } })
    expect(await world.grants.outcomes()).toHaveLength(2)
  })

  test('a role that refuses both has proven nothing', async () => {
    const world = await start(DEPLOYER, ASSUME)
    expect(await world.mint()).toMatchObject({
      ok: false,
      refusal: { kind: 'cloud_refused', detail: { code: 'AccessDenied' } },
    })
  })

  test('a throttle while proving is unavailable; the role is not tried with the external id', async () => {
    elapsedMs = 0
    const world = await start(FALLBACK, ASSUME)
    aws.faults.inject([{ action: 'sts:AssumeRole', kind: 'throttle', percent: 100 }])
    await expect(world.mint()).rejects.toMatchObject({ kind: 'cloud_unavailable' })
    expect(aws.faults.struck).toEqual([1])
  })

  test("globex's broker cannot open acme's role: the external id it sends is another", async () => {
    const sts = new STSClient({ ...aws.client(aws.credentialsForRole(MINT_ROLE)), maxAttempts: 1 })
    const external = externalIdOf(
      { tenant: 'globex', issuerUrl: `${BASE_URL}/t/globex`, role: FALLBACK },
      nodeDigest.sha256,
    )
    const order = {
      RoleArn: FALLBACK,
      RoleSessionName: 'mintmark-x',
      ExternalId: external,
      SourceIdentity: 'acme.x',
      Tags: [{ Key: 'mintmark-tenant', Value: 'acme' }],
      TransitiveTagKeys: ['mintmark-tenant'],
    }
    await expect(sts.send(new AssumeRoleCommand(order))).rejects.toMatchObject({ name: 'AccessDenied' })
    expect((await sts.send(new AssumeRoleCommand({ ...order, ExternalId: EXTERNAL_ID }))).Credentials).toBeDefined()
  })
})
