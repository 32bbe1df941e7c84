// The emulated STS: who may open which session, decided by identity and trust policies together; what a session carries on; and
// tokens of AssumeRoleWithWebIdentity really verified. Longer than 300 lines: one emulated account serves all.
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import {
  ACCOUNT,
  ACME_ROLE,
  BOUNDARY,
  DATA_ROLE,
  EXTERNAL_ID,
  GLOBEX_ROLE,
  ISSUER,
  SILO_KEY,
  sampleCloud,
  WEB_ROLE,
} from '../support/aws/sample-cloud.ts'
import type { Credentials } from '../support/aws/sessions.ts'

const TAG = 'mintmark-tenant'
const START_MS = Date.now()
let nowMs = START_MS
let aws: Aws
let mint: STSClient
type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']
let key: PrivateKey
let otherKey: PrivateKey
let isIssuerUp = true

beforeAll(async () => {
  const pair = await generateKeyPair('ES256')
  key = pair.privateKey
  otherKey = (await generateKeyPair('ES256')).privateKey
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  aws = await startAws({
    cloud: sampleCloud,
    nowMs: () => nowMs,
    publishedKeys: (issuer) => {
      if (!isIssuerUp) throw new Error(`${issuer} is down`)
      return { keys: [jwk] }
    },
  })
  mint = sts(aws.credentialsFor('mint'))
})
beforeEach(() => {
  nowMs = START_MS
  isIssuerUp = true
})
afterAll(() => aws.stop())

const sts = (credentials: Credentials): STSClient => new STSClient(aws.client(credentials))
const fromWire = ({ Credentials: wire }: AssumeRoleCommandOutput): Credentials => ({
  accessKeyId: wire!.AccessKeyId!,
  secretAccessKey: wire!.SecretAccessKey!,
  sessionToken: wire!.SessionToken!,
  expiration: wire!.Expiration!,
})

const WORKLOAD: AssumeRoleCommandInput = {
  RoleArn: ACME_ROLE,
  RoleSessionName: 'mintmark-r42',
  ExternalId: EXTERNAL_ID,
  SourceIdentity: 'acme.r42',
  Tags: [{ Key: TAG, Value: 'acme' }],
  TransitiveTagKeys: [TAG],
}
const assume = (change: Partial<AssumeRoleCommandInput> = {}, client = mint) =>
  client.send(new AssumeRoleCommand({ ...WORKLOAD, ...change }))

describe('AssumeRole of a workload role', () => {
  test('gives a session with the tags, the source identity and the ARN AWS would', async () => {
    aws.recorder.clear()
    const answer = await assume()
    expect(answer.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/mintmark-acme-deployer/mintmark-r42`)
    expect(answer.SourceIdentity).toBe('acme.r42')
    const { Arn } = await sts(fromWire(answer)).send(new GetCallerIdentityCommand({}))
    expect(Arn).toBe(answer.AssumedRoleUser?.Arn)
    const asked = aws.recorder.entries().map(({ action, resource, decision }) => [action, resource, decision.outcome])
    expect(asked).toEqual([
      ['sts:AssumeRole', ACME_ROLE, 'Allowed'],
      ['sts:TagSession', ACME_ROLE, 'Allowed'],
      ['sts:SetSourceIdentity', ACME_ROLE, 'Allowed'],
      ['sts:GetCallerIdentity', '*', 'Allowed'],
    ])
    expect(aws.recorder.entries()[3]?.sessionTags).toEqual({ [TAG]: 'acme' })
  })

  const REFUSED: readonly (readonly [string, Partial<AssumeRoleCommandInput>])[] = [
    ['the external id is missing', { ExternalId: undefined }],
    ['the external id is that of another tenant', { ExternalId: 'mintmark-globex-1111aaaa' }],
    ["the tag names another tenant than the role's", { Tags: [{ Key: TAG, Value: 'globex' }] }],
    ['the tag is missing', { Tags: [], TransitiveTagKeys: [] }],
    ['the tag is not transitive', { TransitiveTagKeys: [] }],
    ['the source identity is missing', { SourceIdentity: undefined }],
    ["the source identity is another tenant's", { SourceIdentity: 'globex.r42' }],
    ['the session name is not of mint', { RoleSessionName: 'someone' }],
    ["the role is another tenant's, asked for with one's own tag", { RoleArn: GLOBEX_ROLE }],
    ['the role does not exist', { RoleArn: `${ACME_ROLE}-2` }],
  ]
  test.each(REFUSED)('is refused when %s', async (_, change) => {
    await expect(assume(change)).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })
  })

  const INVALID: readonly (readonly [string, Partial<AssumeRoleCommandInput>])[] = [
    ['a session name with a slash', { RoleSessionName: 'a/b' }],
    ['a source identity with a colon', { SourceIdentity: 'acme:r42' }],
    ['a session shorter than 15 minutes', { DurationSeconds: 899 }],
    ['a session longer than the role allows', { DurationSeconds: 3601 }],
    ['a transitive key that is no tag', { TransitiveTagKeys: [TAG, 'other'] }],
  ]
  test.each(INVALID)('of %s is a validation error', async (_, change) => {
    await expect(assume(change)).rejects.toMatchObject({ name: 'ValidationError' })
  })

  test('works only with the credentials inside the function: the same role without the function is refused', async () => {
    const stolen = sts(aws.credentialsFor('mint', { asService: true }))
    await expect(assume({}, stolen)).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test('is not for another function, whatever it asks', async () => {
    await expect(assume({}, sts(aws.credentialsFor('revoke')))).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test('needs trust and identity policy: a tenant data role is closed to a caller its trust does not name', async () => {
    const tagged = { RoleArn: DATA_ROLE, RoleSessionName: 'x1', Tags: [{ Key: TAG, Value: 'acme' }] }
    await expect(mint.send(new AssumeRoleCommand(tagged))).resolves.toBeDefined()
    await expect(mint.send(new AssumeRoleCommand({ ...tagged, Tags: [] }))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    const others = sts(aws.credentialsForRole(ACME_ROLE, { tags: { [TAG]: 'acme' }, sourceIdentity: 'acme.r1' }))
    await expect(others.send(new AssumeRoleCommand(tagged))).rejects.toMatchObject({ name: 'AccessDenied' })
  })
})

describe('a chained session', () => {
  const CHAIN_ROLE = `arn:aws:iam::${ACCOUNT}:role/chain`
  /** A role without boundary that anyone in the account may assume and that may do anything. */
  const open = {
    ...sampleCloud.roles[ACME_ROLE]!,
    arn: CHAIN_ROLE,
    maxSessionSeconds: 7200,
    trust: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
          Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
        },
      ],
    },
  } as const
  const { boundary: _, ...unbounded } = open
  const first = () => sts(aws.credentialsForRole(CHAIN_ROLE))
  const next = { RoleArn: CHAIN_ROLE, RoleSessionName: 'second' }

  beforeEach(() => aws.replaceCloud({ ...sampleCloud, roles: { ...sampleCloud.roles, [CHAIN_ROLE]: unbounded } }))

  const chained = async () =>
    fromWire(
      await first().send(
        new AssumeRoleCommand({
          ...next,
          SourceIdentity: 'acme.r42',
          Tags: [
            { Key: TAG, Value: 'acme' },
            { Key: 'run', Value: 'r42' },
          ],
          TransitiveTagKeys: [TAG],
        }),
      ),
    )

  test('keeps transitive tags and the source identity, and loses all other tags', async () => {
    const third = fromWire(
      await sts(await chained()).send(new AssumeRoleCommand({ ...next, RoleSessionName: 'third' })),
    )
    aws.recorder.clear()
    await sts(third).send(new GetCallerIdentityCommand({}))
    const [entry] = aws.recorder.entries()
    expect(entry?.sessionTags).toEqual({ [TAG]: 'acme' })
    expect(entry?.context).toMatchObject({ [`aws:PrincipalTag/${TAG}`]: 'acme', 'aws:SourceIdentity': 'acme.r42' })
  })

  test('cannot pass an inherited tag again, not even with the same value', async () => {
    const command = new AssumeRoleCommand({ ...next, Tags: [{ Key: TAG, Value: 'globex' }] })
    await expect(sts(await chained()).send(command)).rejects.toMatchObject({ name: 'ValidationError' })
  })

  test('cannot change the source identity', async () => {
    const command = new AssumeRoleCommand({ ...next, SourceIdentity: 'globex.r1' })
    await expect(sts(await chained()).send(command)).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test('lasts one hour at most, though the role would allow two', async () => {
    const command = new AssumeRoleCommand({ ...next, DurationSeconds: 3601 })
    await expect(sts(await chained()).send(command)).rejects.toMatchObject({ name: 'ValidationError' })
  })

  test('cannot leave a boundary that denies assuming', async () => {
    const workload = sts(fromWire(await assume()))
    await expect(workload.send(new AssumeRoleCommand(next))).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test('does less under a session policy than its role may, and nothing under one that allows nothing', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:TagSession', Resource: '*' }],
    })
    const narrowed = fromWire(await first().send(new AssumeRoleCommand({ ...next, Policy })))
    await expect(sts(narrowed).send(new AssumeRoleCommand(next))).rejects.toMatchObject({ name: 'AccessDenied' })
    const byArn = fromWire(await first().send(new AssumeRoleCommand({ ...next, PolicyArns: [{ arn: BOUNDARY }] })))
    await expect(sts(byArn).send(new AssumeRoleCommand(next))).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test('a session past its expiry is refused as ExpiredToken', async () => {
    const session = await chained()
    nowMs = START_MS + 3600_000
    const client = new STSClient({ ...aws.client(session), systemClockOffset: nowMs - Date.now() })
    await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'ExpiredToken' })
  })
})

describe('AssumeRoleWithWebIdentity', () => {
  beforeAll(() => aws.replaceCloud(sampleCloud))
  const anonymous = () =>
    new STSClient({
      endpoint: aws.endpoint,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    })

  const claims = (): JWTPayload => ({
    iss: ISSUER,
    sub: 'spiffe://acme.example/ci/7654321/production',
    aud: 'aws-444455556666',
    iat: Math.floor(START_MS / 1000),
    exp: Math.floor(START_MS / 1000) + 60,
    'https://aws.amazon.com/roles': WEB_ROLE,
    'https://aws.amazon.com/tags': {
      principal_tags: { [TAG]: ['acme'], 'mintmark-run': ['r42'] },
      transitive_tag_keys: [TAG],
    },
    'https://aws.amazon.com/source_identity': 'acme.r42',
  })
  const without = (name: string): JWTPayload => {
    const { [name]: _, ...rest } = claims()
    return rest
  }
  const tokenOf = (payload: JWTPayload, signer = key) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(signer)
  const redeem = async (payload: JWTPayload, RoleArn = WEB_ROLE) =>
    anonymous().send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn,
        RoleSessionName: 'mintmark-r42',
        WebIdentityToken: await tokenOf(payload),
      }),
    )

  test('opens a session that carries the tags of the token, and no credentials of ours', async () => {
    aws.recorder.clear()
    const answer = await redeem(claims())
    expect(answer).toMatchObject({
      SubjectFromWebIdentityToken: claims().sub,
      Audience: 'aws-444455556666',
      SourceIdentity: 'acme.r42',
    })
    await sts(fromWire(answer)).send(new GetCallerIdentityCommand({}))
    const entries = aws.recorder.entries()
    expect(entries.map(({ action, principal }) => [action, principal.role])).toEqual([
      ['sts:AssumeRoleWithWebIdentity', null],
      ['sts:TagSession', null],
      ['sts:SetSourceIdentity', null],
      ['sts:GetCallerIdentity', WEB_ROLE],
    ])
    expect(entries[3]?.context).toMatchObject({
      [`aws:PrincipalTag/${TAG}`]: 'acme',
      'aws:PrincipalTag/mintmark-run': 'r42',
      'aws:SourceIdentity': 'acme.r42',
    })
  })

  const BAD: readonly (readonly [string, () => JWTPayload, string])[] = [
    ['expired', () => ({ ...claims(), exp: Math.floor(START_MS / 1000) - 1 }), 'ExpiredTokenException'],
    [
      'for an audience that is not registered',
      () => ({ ...claims(), aud: 'aws-111122223333' }),
      'InvalidIdentityTokenException',
    ],
    ['for two audiences', () => ({ ...claims(), aud: ['aws-444455556666', 'other'] }), 'InvalidIdentityTokenException'],
    [
      'of an issuer that is not registered',
      () => ({ ...claims(), iss: 'https://sts.example.com/t/globex' }),
      'InvalidIdentityTokenException',
    ],
    ['without expiry', () => without('exp'), 'InvalidIdentityTokenException'],
    ['without issue time', () => without('iat'), 'InvalidIdentityTokenException'],
    [
      'with a tag that is not a list',
      () => ({ ...claims(), 'https://aws.amazon.com/tags': { principal_tags: { [TAG]: 'acme' } } }),
      'InvalidIdentityTokenException',
    ],
    ['pinned to another role', () => ({ ...claims(), 'https://aws.amazon.com/roles': ACME_ROLE }), 'AccessDenied'],
    ['not pinned, where the trust policy wants it', () => without('https://aws.amazon.com/roles'), 'AccessDenied'],
    [
      'with the tag of another tenant',
      () => ({ ...claims(), 'https://aws.amazon.com/tags': { principal_tags: { [TAG]: ['globex'] } } }),
      'AccessDenied',
    ],
    [
      'with the source identity of another tenant',
      () => ({ ...claims(), 'https://aws.amazon.com/source_identity': 'globex.r1' }),
      'AccessDenied',
    ],
    ['of another subject', () => ({ ...claims(), sub: 'spiffe://acme.example/ops/x' }), 'AccessDenied'],
  ]
  test.each(BAD)('refuses a token %s', async (_, payload, name) => {
    await expect(redeem(payload())).rejects.toMatchObject({ name })
  })

  test('refuses a token signed by another key, an unsigned one and what is no token', async () => {
    const [header, payload] = (await tokenOf(claims())).split('.')
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    for (const WebIdentityToken of [
      await tokenOf(claims(), otherKey),
      none,
      `${header}.${payload}.AAAA`,
      'not-a-token',
    ]) {
      const command = new AssumeRoleWithWebIdentityCommand({
        RoleArn: WEB_ROLE,
        RoleSessionName: 'mintmark-r42',
        WebIdentityToken,
      })
      await expect(anonymous().send(command)).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
    }
  })

  test('refuses a role in an account where the issuer is not registered', async () => {
    const payload = { ...claims(), 'https://aws.amazon.com/roles': ACME_ROLE }
    await expect(redeem(payload, ACME_ROLE)).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
  })

  test('says so when the issuer cannot be reached', async () => {
    isIssuerUp = false
    await expect(redeem(claims())).rejects.toMatchObject({ name: 'IDPCommunicationErrorException' })
  })
})

test("a session of the tenant's account is a stranger in the broker's, whatever its own policy says", async () => {
  const kms = new KMSClient(aws.client(aws.credentialsForRole(WEB_ROLE)))
  const refusal = expect(kms.send(new GetPublicKeyCommand({ KeyId: SILO_KEY })))
  await refusal.rejects.toMatchObject({ name: 'AccessDeniedException' })
})
