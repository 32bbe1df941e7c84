// What the proof of the fences is made of: decisions recorded with all they rest on, decided again under other policies; and
// faults that strike the same way each time.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DecryptCommand, GenerateDataKeyPairWithoutPlaintextCommand, KMSClient } from '@aws-sdk/client-kms'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cloud, document } from '../support/aws/cloud.ts'
import { decide } from '../support/aws/decision.ts'
import { decideOnce } from '../support/aws/decision-cache.ts'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import { Faults } from '../support/aws/faults.ts'
import { statementsOf, withoutStatement } from '../support/aws/policies.ts'
import { distinctEntries, entriesOf, readEntries, reevaluate } from '../support/aws/recorder.ts'
import { ACME_ROLE, DATA_ROLE, MINT_ROLE, POOL_KEY, sampleCloud } from '../support/aws/sample-cloud.ts'

const folder = mkdtempSync(join(tmpdir(), 'mintmark-recorder-'))
const path = join(folder, 'calls.jsonl')
let aws: Aws

/** One tenant session opened by mint, one key pair made and opened in it. */
beforeAll(async () => {
  aws = await startAws({ cloud: sampleCloud, recordTo: path })
  const sts = new STSClient(aws.client(aws.credentialsFor('mint')))
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({
      RoleArn: DATA_ROLE,
      RoleSessionName: 'acme',
      Tags: [{ Key: 'mintmark-tenant', Value: 'acme' }],
    }),
  )
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials!
  const kms = new KMSClient(
    aws.client({
      accessKeyId: AccessKeyId!,
      secretAccessKey: SecretAccessKey!,
      sessionToken: SessionToken!,
      expiration: Expiration!,
    }),
  )
  const EncryptionContext = { tenant: 'acme', use: 'token' }
  for (let round = 0; round < 2; round++) {
    const { PrivateKeyCiphertextBlob } = await kms.send(
      new GenerateDataKeyPairWithoutPlaintextCommand({
        KeyId: POOL_KEY,
        KeyPairSpec: 'ECC_NIST_P256',
        EncryptionContext,
      }),
    )
    await kms.send(new DecryptCommand({ CiphertextBlob: PrivateKeyCiphertextBlob, EncryptionContext }))
  }
})
afterAll(async () => {
  await aws.stop()
  rmSync(folder, { recursive: true })
})

describe('the recorder', () => {
  test('keeps caller, session tags, resource, context and the statements that decided', () => {
    const [assume] = aws.recorder.entries()
    expect(assume).toMatchObject({
      principal: { arn: 'arn:aws:sts::111122223333:assumed-role/mintmark-mint/mintmark-prod-mint', role: MINT_ROLE },
      action: 'sts:AssumeRole',
      resource: DATA_ROLE,
      context: {
        'aws:RequestTag/mintmark-tenant': 'acme',
        'aws:TagKeys': ['mintmark-tenant'],
        'lambda:SourceFunctionArn': 'arn:aws:lambda:eu-west-1:111122223333:function:mintmark-prod-mint',
        'aws:SecureTransport': 'true',
      },
      decision: {
        outcome: 'Allowed',
        matched: [
          { policy: 'role mintmark-mint, inline own', statement: 'OpenTenantSession', effect: 'Allow' },
          { policy: 'trust of mintmark-data-mint', statement: 'OwnFunctionForOneTenant', effect: 'Allow' },
        ],
      },
    })
    const decrypt = aws.recorder.entries().find(({ action }) => action === 'kms:Decrypt')
    expect(decrypt).toMatchObject({
      sessionTags: { 'mintmark-tenant': 'acme' },
      context: { 'kms:EncryptionContext:tenant': 'acme', 'kms:EncryptionContextKeys': ['tenant', 'use'] },
      decision: { matched: [{ statement: 'OpenTenantKeys' }, { statement: 'OwnTenant' }] },
    })
  })

  test('writes lines that read back as the same entries, without credentials in them', () => {
    const lines = readEntries(path)
    expect(lines).toEqual(aws.recorder.entries())
    expect(JSON.stringify(lines)).not.toMatch(/secretAccessKey|sessionToken|ASIA/)
  })

  test('tells calls apart by all but their times', () => {
    expect(aws.recorder.entries()).toHaveLength(6)
    expect(distinctEntries(aws.recorder.entries()).map(({ action }) => action)).toEqual([
      'sts:AssumeRole',
      'sts:TagSession',
      'kms:GenerateDataKeyPairWithoutPlaintext',
      'kms:Decrypt',
    ])
  })
})

describe('the same calls under other policies', () => {
  test('are decided the same when nothing changed', async () => {
    const again = await reevaluate(readEntries(path), sampleCloud)
    expect(again.filter(({ isChanged }) => isChanged)).toEqual([])
    expect(again.map(({ now }) => now)).toEqual(aws.recorder.entries().map(({ decision }) => decision))
  })

  const matched = () => {
    const names = aws.recorder.entries().flatMap(({ decision }) => decision.matched)
    return [...new Map(names.map((name) => [JSON.stringify(name), name])).values()]
  }

  test('fail when any Allow they rest on is removed, each naming the call', async () => {
    const allows = matched().filter(({ effect }) => effect === 'Allow')
    expect(allows.map(({ statement }) => statement)).toEqual([
      'OpenTenantSession',
      'OwnFunctionForOneTenant',
      'OpenTenantKeys',
      'OwnTenant',
    ])
    // In one account a key policy that names the role grants by itself: the identity policy is not what these calls need.
    const needed: Readonly<Record<string, string[]>> = {}
    for (const name of allows) {
      const again = await reevaluate(entriesOf(aws.recorder.entries(), name), withoutStatement(sampleCloud, name))
      Object.assign(needed, {
        [name.statement]: again.filter(({ isChanged }) => isChanged).map(({ entry }) => entry.action),
      })
    }
    const opened = ['kms:GenerateDataKeyPairWithoutPlaintext', 'kms:Decrypt']
    expect(needed).toEqual({
      OpenTenantSession: ['sts:AssumeRole', 'sts:TagSession'],
      OwnFunctionForOneTenant: ['sts:AssumeRole', 'sts:TagSession'],
      OpenTenantKeys: [],
      OwnTenant: [...opened, ...opened],
    })
  })

  test('succeed where they were denied when the Deny is removed: the denial was that statement', async () => {
    const inside = aws.recorder.entries().find(({ action }) => action === 'sts:AssumeRole')!
    const { 'lambda:SourceFunctionArn': _, ...context } = inside.context
    const outside = { ...inside, context }
    expect((await decide(sampleCloud, outside)).outcome).toBe('ExplicitlyDenied')
    const name = { policy: 'role mintmark-mint, inline own', statement: 'OnlyFromThisFunction' }
    expect((await decide(withoutStatement(sampleCloud, name), outside)).outcome).toBe('Allowed')
  })

  test('are decided anew when a policy reads the clock, and remembered when none does', async () => {
    const [entry] = aws.recorder.entries()
    const at = (time: string) => ({ ...entry!, context: { ...entry!.context, 'aws:CurrentTime': time } })
    const early = {
      Sid: 'Early',
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } },
    } as const
    const mint = sampleCloud.roles[MINT_ROLE]!
    const inline = { ...mint.inline, early: { Version: '2012-10-17', Statement: [early] } }
    const timed = { ...sampleCloud, roles: { ...sampleCloud.roles, [MINT_ROLE]: { ...mint, inline } } }
    expect((await decideOnce(timed, at('2026-01-01T00:00:00Z'))).outcome).toBe('ExplicitlyDenied')
    expect((await decideOnce(timed, at('2031-01-01T00:00:00Z'))).outcome).toBe('Allowed')
    expect(decideOnce(sampleCloud, at('2026-01-01T00:00:00Z'))).toBe(
      decideOnce(sampleCloud, at('2031-01-01T00:00:00Z')),
    )
    const other = { ...at('2031-01-01T00:00:00Z'), resource: ACME_ROLE }
    expect((await decideOnce(sampleCloud, other)).outcome).not.toBe('Allowed')
  })

  test('cannot be asked without a statement that is not there', () => {
    expect(() =>
      withoutStatement(sampleCloud, { policy: 'role mintmark-mint, inline own', statement: 'None' }),
    ).toThrow('0 statements')
  })

  test('every statement of the cloud has a name of its own', () => {
    const names = statementsOf(sampleCloud).map(({ policy, statement }) => `${policy}: ${statement}`)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('managed mintmark-workload: NotWithoutSource')
    expect(names).toContain('trust of deployer: PinnedToken')
  })
})

describe('an isolated function', () => {
  const isolated = {
    ...sampleCloud,
    functions: { ...sampleCloud.functions, 'mintmark-prod-mint': { role: MINT_ROLE, isIsolated: true } },
  }
  const openSession = (Sid: string, Action: string) =>
    document({ Sid, Effect: 'Allow', Principal: '*', Action, Resource: '*' })
  const outcome = async (endpoints: Cloud['endpoints']) => {
    const [entry] = aws.recorder.entries()
    expect(entry?.from).toBe('mintmark-prod-mint')
    return decide({ ...isolated, endpoints }, entry!)
  }

  test('reaches a service through its endpoint, and only as far as the policy of that goes', async () => {
    expect(await outcome({ sts: openSession('Sessions', 'sts:AssumeRole') })).toMatchObject({
      outcome: 'Allowed',
      matched: expect.arrayContaining([{ policy: 'endpoint sts', statement: 'Sessions', effect: 'Allow' }]),
    })
    expect((await outcome({ sts: openSession('Other', 'sts:TagSession') })).outcome).toBe('ImplicitlyDenied')
  })

  test('reaches no service whose endpoint is not there', async () => {
    expect(await outcome({ kms: openSession('All', '*') })).toEqual({ outcome: 'Unreachable', matched: [] })
  })

  test('is isolated in the sessions it opens as well', async () => {
    const decrypt = aws.recorder.entries().find(({ action }) => action === 'kms:Decrypt')!
    expect((await decide(isolated, decrypt)).outcome).toBe('Unreachable')
  })
})

describe('faults', () => {
  const draw = (seed: number) => {
    const faults = new Faults(seed)
    faults.inject([{ action: 'kms:*', kind: 'throttle', percent: 30 }])
    return Array.from({ length: 200 }, () => faults.strike('kms:Sign') !== null)
  }

  test('strike the same calls for the same seed, others for another, and about as often as asked', () => {
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    const struck = draw(7).filter(Boolean).length
    expect(struck).toBeGreaterThan(40)
    expect(struck).toBeLessThan(80)
  })

  test('strike only what they name, only so often, and are counted', () => {
    const faults = new Faults(1)
    faults.inject([{ action: 'sts:AssumeRole', kind: 'throttle', percent: 100, times: 2 }])
    expect(faults.strike('sts:AssumeRoleWithWebIdentity')).toBeNull()
    expect([1, 2, 3].map(() => faults.strike('sts:AssumeRole')?.kind)).toEqual(['throttle', 'throttle', undefined])
    expect(faults.struck).toEqual([2])
  })
})
