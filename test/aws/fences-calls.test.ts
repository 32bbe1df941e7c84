// Real calls under the packaged policies, signed and over the wire. First those of our own adapters that the end-to-end suite has no
// occasion for: they are recorded beside its own. Then some that no adapter makes: what is left when our checks are off.
// Longer than 300 lines: one package, deployed once for both.
import { randomUUID } from 'node:crypto'
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { DecryptCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createControlRecords } from '../../lib/adapters/aws/dynamo-control-records.ts'
import { createRateCounters } from '../../lib/adapters/aws/dynamo-rate-counters.ts'
import { createRecordLookup } from '../../lib/adapters/aws/dynamo-records.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createHeldKeyPairs, createHeldKeyVault } from '../../lib/adapters/aws/kms-held-keys.ts'
import { createTieredKeyVault } from '../../lib/adapters/aws/kms-tiers.ts'
import { createS3Anchor } from '../../lib/adapters/aws/s3-anchor.ts'
import { readAnchored } from '../../lib/adapters/aws/s3-anchored.ts'
import { createS3Objects } from '../../lib/adapters/aws/s3-objects.ts'
import { createSqsQuarantine } from '../../lib/adapters/aws/sqs-queue.ts'
import { createStsAssumedRole } from '../../lib/adapters/aws/sts-assumed-role.ts'
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { anchoredKey } from '../../lib/domain/archive-bucket.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { CHANGE_SERIES } from '../../lib/ports/control-records.ts'
import type { Cloud } from '../support/aws/cloud.ts'
import { type Aws, startAws } from '../support/aws/emulator.ts'
import type { Credentials } from '../support/aws/sessions.ts'
import { createTables, localDynamo } from '../support/dynamodb-local.ts'
import { startQueues } from '../support/fauxqs-queues.ts'
import { roleNamed } from '../support/fences/callers.ts'
import { externalIdOfRole, poolKey } from '../support/fences/deeds.ts'
import { packagedCloud } from '../support/packaged-stacks.ts'
import { recordingOf } from '../support/recordings.ts'

/** The package, deployed with tables of this file's own. */
let tables: { readonly core: string; readonly log: string }
let cloud: Cloud
let queues: Awaited<ReturnType<typeof startQueues>>
let aws: Aws

const startOn = (recordTo?: string): Promise<Aws> =>
  startAws({
    cloud,
    dynamodb: localDynamo().endpoint,
    sqs: queues.server.address,
    ...(recordTo === undefined ? {} : { recordTo }),
  })

beforeAll(async () => {
  tables = await createTables()
  const text = JSON.stringify(packagedCloud())
  cloud = JSON.parse(
    text
      .replaceAll('table/mintmark-core', `table/${tables.core}`)
      .replaceAll('table/mintmark-log', `table/${tables.log}`),
  )
  queues = await startQueues()
})
afterAll(() => queues?.close())

/** A session of the function's data role, opened over STS as tenant-sessions.ts opens it. */
const openSession = async (fn: string, tenant: string): Promise<Credentials> => {
  const sts = new STSClient({ ...aws.client(aws.credentialsFor(fn)), maxAttempts: 1 })
  const Tags = [{ Key: 'mintmark-tenant', Value: tenant }]
  const RoleArn = roleNamed(cloud, `mintmark-data-${fn}`)
  const { Credentials: given } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'mintmark-x', Tags }))
  return {
    accessKeyId: given!.AccessKeyId!,
    secretAccessKey: given!.SecretAccessKey!,
    sessionToken: given!.SessionToken!,
    expiration: given!.Expiration!,
  }
}

const anchorOf = (session: Credentials) =>
  createS3Anchor({
    bucket: `mintmark-archive-${cloud.account}-${cloud.region}`,
    objectsOf: async () => createS3Objects(aws.client(session) as ClientPlace),
  })
const noteWith = (root: string) => `sts.example.com/t/poolco/log\n1\n${root}\n\n— signature\n`
const checkpointOf = (tenant: string, root: string) => ({
  tenant,
  size: 1,
  note: noteWith(root),
  seenSize: 0,
  proof: [],
})

describe('our adapters', () => {
  beforeAll(async () => {
    aws = await startOn(recordingOf('fences-calls', cloud))
  })
  afterAll(async () => {
    // With the key that was made.
    recordingOf('fences-calls', aws.cloud)
    await aws.stop()
  })

  test.each([
    ['poolco', 'poolco-auditor', 'its own account'],
    ['elsewhere', 'arn:aws:iam::444455556666:role/mintmark/t/elsewhere/auditor', 'an account of the tenant'],
  ])("mint opens a session of %s's role %s, in %s, with the external id and not without", async (tenant, role) => {
    const sts = new STSClient({ ...aws.client(aws.credentialsFor('mint')), maxAttempts: 1 })
    const opened = await createStsAssumedRole({ sts, clock: systemClock }).open({
      role: roleNamed(cloud, role),
      sessionName: 'mintmark-01JQ8W',
      durationSeconds: 900,
      externalId: externalIdOfRole(cloud, role),
      sourceIdentity: `${tenant}.01JQ8W`,
      tags: { 'mintmark-tenant': tenant },
      transitiveTags: ['mintmark-tenant'],
    })
    expect(opened).toMatchObject({ ok: true })
  })

  test('rotate makes a key that stays in KMS, and mint signs with it', async () => {
    const kmsOf = (fn: string) => async (tenant: string) =>
      new KMSClient({ ...aws.client(await openSession(fn, tenant)), maxAttempts: 1 })
    const order = { tenant: 'siloco', use: 'token', alg: 'ES256' } as const
    const { sealed } = await createHeldKeyPairs(kmsOf('rotate')).generate(order as never)
    const vault = createHeldKeyVault(kmsOf('mint'), {} as never)
    const opened = await vault.open({ ...order, sealed } as never)
    expect(opened.kind).toBe('elsewhere')
    if (opened.kind === 'elsewhere') expect((await opened.sign(new Uint8Array(32))).length).toBeGreaterThan(60)
  })

  test.each([
    ['revoke', 'revoke-dlq'],
    ['audit', 'audit-dlq'],
    ['audit', 'denials-dlq'],
    ['events', 'findings-dlq'],
    ['push', 'push-dlq'],
  ])('%s puts what no retry can help into %s', async (fn, queue) => {
    const root = new SQSClient(aws.client(aws.rootCredentials))
    const { QueueUrl } = await root.send(new CreateQueueCommand({ QueueName: `mintmark-prod-${queue}` }))
    const client = new SQSClient({ ...aws.client(aws.credentialsFor(fn)), maxAttempts: 1 })
    await createSqsQuarantine({ client, queueUrl: QueueUrl! }).put(
      { body: '{}', group: 'poolco' } as never,
      'unreadable',
    )
  })

  test('audit reads the record that an outcome is about', async () => {
    const client = new DynamoDBClient({ ...aws.client(await openSession('audit', 'poolco')), maxAttempts: 1 })
    const records = createRecordLookup(tableOf(tables.core, client, 20_000))
    expect(await records.find(randomUUID(), 'poolco')).toBeNull()
  })

  test('audit reads what it compares a log with: what was done by number, when keys moved, who looked', async () => {
    const client = new DynamoDBClient({ ...aws.client(await openSession('audit', 'poolco')), maxAttempts: 1 })
    const control = createControlRecords(tableOf(tables.core, client, 20_000))
    for (const series of CHANGE_SERIES) {
      expect(await control.changes('poolco', series, 0, 100)).toEqual([])
      const owes = { id: randomUUID(), atSeconds: 0, entry: null }
      expect(await control.entries('poolco', series, [{ number: 1, owes }])).toEqual(new Map())
    }
    expect([await control.keyMoves('poolco'), await control.lookUps('poolco', 1)]).toEqual([[], []])
  })

  test('checkpoint anchors a size once, and reads back what is there', async () => {
    const anchor = anchorOf(await openSession('checkpoint', 'poolco'))
    expect(await anchor.add(checkpointOf('poolco', 'a root'))).toEqual({ kind: 'kept', note: noteWith('a root') })
    expect(await anchor.add(checkpointOf('poolco', 'a root'))).toEqual({ kind: 'kept', note: noteWith('a root') })
    expect(await anchor.add(checkpointOf('poolco', 'another'))).toEqual({ kind: 'disagrees' })
  })

  test('an operator reads all that is anchored of a log, however many pages that takes, and nothing of another', async () => {
    const bucket = `mintmark-archive-${cloud.account}-${cloud.region}`
    const sizes = Array.from({ length: 230 }, (_, at) => at + 1)
    for (const size of sizes) aws.objects.set(`${bucket}/${anchoredKey('siloco', size)}`, `note of ${size}`)
    aws.objects.set(`${bucket}/${anchoredKey('siloc', 1)}`, 'of another')
    const operator = aws.credentialsForRole(roleNamed(cloud, 'mintmark-operator'), { sourceIdentity: 'alice' })
    const objects = createS3Objects(aws.client(operator) as ClientPlace)
    expect(await readAnchored({ bucket, objects }, 'siloco')).toEqual(sizes.map((size) => `note of ${size}`))
  })

  test('a part of what is anchored is never taken for all: S3 is asked again, and then it is unavailable', async () => {
    const bucket = `mintmark-archive-${cloud.account}-${cloud.region}`
    const operator = aws.credentialsForRole(roleNamed(cloud, 'mintmark-operator'), { sourceIdentity: 'alice' })
    const objects = createS3Objects(aws.client(operator) as ClientPlace)
    aws.faults.inject([{ action: 's3:*', percent: 100, times: 3, kind: 'throttle' }])
    expect(await readAnchored({ bucket, objects }, 'siloco')).toHaveLength(230)
    aws.faults.inject([{ action: 's3:GetObject', percent: 100, kind: 'error', status: 503 }])
    await expect(readAnchored({ bucket, objects }, 'siloco')).rejects.toThrow(Unavailable)
    aws.faults.inject([])
  })

  test('attest counts the rate of a source', async () => {
    const client = new DynamoDBClient({ ...aws.client(aws.credentialsFor('attest')), maxAttempts: 1 })
    const failures: unknown[] = []
    const table = tableOf(tables.core, client, 20_000)
    const rates = createRateCounters({ table, clock: systemClock, onFailure: (cause) => failures.push(cause) })
    for (let taken = 0; taken < 16; taken += 1) await rates.take('source x', [1, 16])
    expect(failures).toEqual([])
    expect(aws.recorder.entries().some(({ action }) => action === 'dynamodb:UpdateItem')).toBe(true)
  })
})

describe('with our checks switched off', () => {
  let session: Credentials
  beforeAll(async () => {
    aws = await startOn()
    session = await openSession('mint', 'poolco')
  })
  afterAll(() => aws?.stop())
  const dynamo = (credentials: Credentials) => new DynamoDBClient({ ...aws.client(credentials), maxAttempts: 1 })
  const key = (tenant: string, kind: keyof ReturnType<typeof leadingKeys> = 'grants') => ({
    pk: { S: leadingKeys(tenant)[kind].replace('*', '1') },
    sk: { S: 'G' },
  })
  const refused = { name: expect.stringMatching(/^AccessDenied/) }

  beforeEach(async () => {
    const root = dynamo(aws.rootCredentials)
    for (const tenant of ['poolco', 'siloco']) {
      await root.send(new PutItemCommand({ TableName: tables.core, Item: { ...key(tenant), of: { S: tenant } } }))
    }
  })

  test("mint's session of a tenant reads and writes the tenant's rows: the fence is not a wall", async () => {
    const client = dynamo(session)
    const read = await client.send(new GetItemCommand({ TableName: tables.core, Key: key('poolco') }))
    expect(read.Item?.['of']).toEqual({ S: 'poolco' })
    await client.send(new PutItemCommand({ TableName: tables.core, Item: key('poolco', 'proofs') }))
  })

  test("mint's session of one tenant cannot touch a row of another, alone or hidden among its own", async () => {
    const client = dynamo(session)
    const TableName = tables.core
    const [own, other] = [key('poolco'), key('siloco')]
    const query = { KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': other.pk } }
    const both = [own, other].map((Item) => ({ Put: { TableName, Item } }))
    await expect(client.send(new GetItemCommand({ TableName, Key: other }))).rejects.toMatchObject(refused)
    await expect(client.send(new QueryCommand({ TableName, ...query }))).rejects.toMatchObject(refused)
    await expect(client.send(new PutItemCommand({ TableName, Item: other }))).rejects.toMatchObject(refused)
    await expect(client.send(new ScanCommand({ TableName }))).rejects.toMatchObject(refused)
    await expect(
      client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [own, other] } } })),
    ).rejects.toMatchObject(refused)
    await expect(client.send(new TransactWriteItemsCommand({ TransactItems: both }))).rejects.toMatchObject(refused)
    const root = dynamo(aws.rootCredentials)
    expect((await root.send(new GetItemCommand({ TableName, Key: other }))).Item?.['of']).toEqual({ S: 'siloco' })
  })

  test("mint's session of one tenant opens no key of another", async () => {
    const kms = new KMSClient({ ...aws.client(session), maxAttempts: 1 })
    const CiphertextBlob = new Uint8Array(64)
    const open = (tenant: string) =>
      kms.send(
        new DecryptCommand({
          KeyId: poolKey(cloud),
          CiphertextBlob,
          EncryptionContext: { tenant, use: 'token', alg: 'ES256' },
        }),
      )
    // Its own: let through, and then not a ciphertext at all.
    await expect(open('poolco')).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
    await expect(open('siloco')).rejects.toMatchObject(refused)
  })

  test("a silo tenant's key signs in that tenant's session and in no pooled one's, whatever a row says", async () => {
    const kmsOf =
      (of: string, fn = 'mint') =>
      async () =>
        new KMSClient({ ...aws.client(await openSession(fn, of)), maxAttempts: 1 })
    const order = { tenant: 'siloco', use: 'token', alg: 'ES256' } as const
    const { sealed } = await createHeldKeyPairs(kmsOf('siloco', 'rotate')).generate(order as never)
    const signWith = (kms: KMSClient) =>
      kms.send(
        new SignCommand({
          KeyId: new TextDecoder().decode(sealed),
          Message: new Uint8Array(32),
          MessageType: 'DIGEST',
          SigningAlgorithm: 'ECDSA_SHA_256',
        }),
      )
    expect((await signWith(await kmsOf('siloco')())).Signature?.length).toBeGreaterThan(60)
    await expect(signWith(await kmsOf('poolco')())).rejects.toMatchObject(refused)
    await expect(signWith(await kmsOf('siloco', 'rotate')())).rejects.toMatchObject(refused)
    // The name of the key, in a row of the pooled tenant: mint does not get as far as its public half.
    const vault = createTieredKeyVault({ kms: kmsOf('poolco'), wrappingKey: poolKey(cloud) })
    await expect(vault.open({ ...order, tenant: 'poolco', sealed } as never)).rejects.toThrow(Unavailable)
  })

  test.each([
    ['attest', 'issuerKeySets', 'a key set'],
    ['attest', 'grants', 'a grant'],
    ['attest', 'config', 'configuration'],
    ['trust', 'signingKeys', 'a key of a tenant'],
    ['mint', 'issuerKeySets', 'a key set'],
    ['mint', 'config', 'configuration'],
    ['revoke', 'grants', 'a grant'],
    ['events', 'revocations', 'a revocation'],
    ['introspect', 'revocations', 'a revocation'],
    ['introspect', 'callerProofs', 'a proof, but in the session of a tenant'],
    ['admin', 'config', 'configuration'],
    ['feed', 'revocations', 'a revocation'],
    ['push', 'revocations', 'a revocation'],
    ['poll', 'grants', 'a grant'],
  ] as const)('the credentials of %s cannot put a row of %s: %s', async (fn, kind, _what) => {
    const client = dynamo(aws.credentialsFor(fn))
    const put = new PutItemCommand({ TableName: tables.core, Item: key('poolco', kind) })
    await expect(client.send(put)).rejects.toMatchObject(refused)
  })

  test("checkpoint's session of one tenant puts nothing over what is anchored, and nothing among another's", async () => {
    const session = await openSession('checkpoint', 'poolco')
    expect(await anchorOf(session).add(checkpointOf('siloco', 'a root'))).toEqual({ kind: 'not_kept' })
    const bucket = `mintmark-archive-${cloud.account}-${cloud.region}`
    const objects = createS3Objects(aws.client(session) as ClientPlace)
    expect(await objects.get({ bucket, key: 'checkpoints/siloco/000000000001' })).toMatchObject({ status: 403 })
    expect(await objects.putNew({ bucket, key: 'logs/x' }, 'x')).toMatchObject({ status: 403 })
  })

  test('discovery and checkpoint read what is public of a log, and neither its events nor its salts', async () => {
    for (const fn of ['discovery', 'checkpoint']) {
      const client = dynamo(await openSession(fn, 'poolco'))
      const get = (kind: 'log' | 'publicLog') =>
        client.send(new GetItemCommand({ TableName: tables.log, Key: key('poolco', kind) }))
      await expect(get('log')).rejects.toMatchObject(refused)
      await get('publicLog')
    }
  })

  test.each([
    ['audit', 'logCheckpoints', 'signs'],
    ['checkpoint', 'publicLog', 'appends'],
    ['checkpoint', 'log', 'writes events'],
  ] as const)('%s cannot put a row of %s: nobody both appends and %s', async (fn, kind, _what) => {
    const client = dynamo(await openSession(fn, 'poolco'))
    const put = new PutItemCommand({ TableName: tables.log, Item: key('poolco', kind) })
    await expect(client.send(put)).rejects.toMatchObject(refused)
  })

  test.each(['introspect', 'admin', 'poll'])(
    "%s's session of a tenant spends the tenant's proofs: none that mint redeems, none of another, and forgets none",
    async (fn) => {
      const client = dynamo(await openSession(fn, 'poolco'))
      const TableName = tables.core
      const put = (Item: ReturnType<typeof key>) => client.send(new PutItemCommand({ TableName, Item }))
      await put(key('poolco', 'callerProofs'))
      await expect(put(key('poolco', 'proofs'))).rejects.toMatchObject(refused)
      await expect(put(key('siloco', 'callerProofs'))).rejects.toMatchObject(refused)
      const gone = new DeleteItemCommand({ TableName, Key: key('poolco', 'callerProofs') })
      await expect(client.send(gone)).rejects.toMatchObject(refused)
    },
  )

  test.each([
    ['audit', async () => openSession('audit', 'poolco')],
    [
      'an operator',
      async () => aws.credentialsForRole(roleNamed(cloud, 'mintmark-operator'), { sourceIdentity: 'alice' }),
    ],
  ] as const)('%s reads when keys moved and not what they are, however it asks', async (_, credentials) => {
    const client = dynamo(await credentials())
    const pk = key('poolco', 'signingKeys').pk
    const ask = (more: object) =>
      client.send(
        new QueryCommand({
          TableName: tables.core,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': pk },
          ...more,
        }),
      )
    const only = (...names: string[]) => ({ Select: 'SPECIFIC_ATTRIBUTES', ProjectionExpression: names.join(', ') })
    await ask(only('sk', 'alg', 'createdAt'))
    await expect(ask(only('sk', 'sealed'))).rejects.toMatchObject(refused)
    await expect(ask({})).rejects.toMatchObject(refused)
    await expect(ask({ ProjectionExpression: 'sk' })).rejects.toMatchObject(refused)
    const get = new GetItemCommand({ TableName: tables.core, Key: key('poolco', 'signingKeys') })
    await expect(client.send(get)).rejects.toMatchObject(refused)
  })

  test('audit cannot take an entry out of the log it writes', async () => {
    const client = dynamo(await openSession('audit', 'poolco'))
    const Key = key('poolco', 'log')
    await client.send(new PutItemCommand({ TableName: tables.log, Item: Key }))
    const gone = new DeleteItemCommand({ TableName: tables.log, Key })
    await expect(client.send(gone)).rejects.toMatchObject(refused)
  })
})
