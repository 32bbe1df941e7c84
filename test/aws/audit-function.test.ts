// The audit function from the record store's real stream and from the denial queue into the log, through its handler: what
// comes twice, in another order, half, broken or altered. Longer than 300 lines: one harness of stream and queue.
import { randomUUID } from 'node:crypto'
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createHandler } from '../../functions/audit/handler.ts'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { createControlRecords } from '../../lib/adapters/aws/dynamo-control-records.ts'
import { createDenialLookup, createDenialRecords } from '../../lib/adapters/aws/dynamo-denials.ts'
import { createGrantStore } from '../../lib/adapters/aws/dynamo-grant-store.ts'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { createLogList } from '../../lib/adapters/aws/dynamo-log-list.ts'
import { createReceivers } from '../../lib/adapters/aws/dynamo-receivers.ts'
import { createHourlyRecords, createRecordLookup } from '../../lib/adapters/aws/dynamo-records.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { feedItemOf } from '../../lib/adapters/aws/dynamo-stream.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import { createSqsDenials } from '../../lib/adapters/aws/sqs-denials.ts'
import { createSqsQuarantine } from '../../lib/adapters/aws/sqs-queue.ts'
import { grantKey, signingKeyKey } from '../../lib/adapters/aws/table-keys.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { ALARMS } from '../../lib/domain/alarm.ts'
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { hourOf } from '../../lib/flows/audit/find-unlogged.ts'
import type { AuditLog } from '../../lib/ports/audit-log.ts'
import { SCHEDULED, type StreamAttributes, type StreamRecord } from '../../lib/wire/lambda-events.ts'
import {
  NOW_SECONDS,
  sampleConfig,
  sampleDenial,
  sampleKey,
  sampleNotIssued,
  sampleOrder,
  samplePut,
  sampleRevocation,
} from '../contract/sample-rows.ts'
import { createTables, localDynamo, readStream } from '../support/dynamodb-local.ts'
import { deliverBatch, messagesIn, type Queues, startQueues } from '../support/fauxqs-queues.ts'
import { remembering, treeLogIn } from '../support/tree-log.ts'

/** A consumer is in no hurry, and the emulator is slow on a busy machine. */
const WAIT_MS = 60_000

type Line = { readonly message: string; readonly fields: Record<string, unknown> }
const open = async () => {
  const names = await createTables()
  const client = new DynamoDBClient({ ...localDynamo(), maxAttempts: 5 })
  const [core, log] = [tableOf(names.core, client, WAIT_MS), tableOf(names.log, client, WAIT_MS)]
  const queues: Queues = await startQueues()
  const denialQueue = queues.create('denials', LIMITS.queueReceivesMax)
  const auditQueue = queues.create('audit', LIMITS.queueReceivesMax)
  const lines: Line[] = []
  const records = createRecordLookup(core)
  const leaves = createLogLeaves(log)
  const tree = treeLogIn(createTenantLog(log, nodeSha256), async (tenant, decisionId) => {
    const found = await records.find(decisionId, tenant)
    return found?.kind === 'allow' ? found.record : null
  })
  const { log: auditLog, entries } = remembering(tree.log, leaves.leaves)
  const handlerOver = (
    over: AuditLog,
    follow: (entries: readonly AuditEntry[]) => Promise<void> = async () => undefined,
  ) =>
    createHandler({
      ports: { log: over, quarantine: createSqsQuarantine({ client: queues.client, queueUrl: auditQueue.dlqUrl }) },
      repair: {
        records: createHourlyRecords(core),
        control: createControlRecords(core),
        store: tree.store,
        retention: { expired: async () => null },
        list: createLogList(log),
        clock: systemClock,
      },
      denials: createDenialRecords(log),
      denialQuarantine: createSqsQuarantine({ client: queues.client, queueUrl: denialQueue.dlqUrl }),
      follow,
      readChange: feedItemOf,
      log: { error: (...line) => void lines.push({ message: line[0], fields: line[1] } as Line) },
    })
  return {
    client,
    core,
    log,
    auditLog,
    grants: createGrantStore(core),
    orders: createAppliedOrders(core),
    queues,
    denials: createSqsDenials({ client: queues.client, queueUrl: denialQueue.queueUrl }, randomUUID),
    denialQueue,
    lines,
    handlerOver,
    handler: handlerOver(auditLog),
    stream: async () => (await readStream(names.core)) as readonly StreamRecord[],
    entries: (tenant = 'acme') => entries(tenant),
    events: async () =>
      (await leaves.leaves('acme', 0, 100)).map(({ canonical }) => JSON.parse(canonical) as OcsfEvent),
    close: async () => {
      client.destroy()
      await queues.close()
    },
  }
}
let aws: Awaited<ReturnType<typeof open>>
beforeEach(async () => {
  aws = await open()
})
afterEach(() => aws.close())

const idsOf = (entries: readonly AuditEntry[]) =>
  entries.map((entry) => (entry.kind === 'grant' ? entry.record.decisionId : entry.kind))

test('records, outcomes and orders of the real stream are in the log as they were put, in their order', async () => {
  const put = samplePut('a')
  const outcome = sampleNotIssued(put)
  const applied = { v: 1 as const, order: sampleOrder(), by: 'aws:AROA:me', revocations: ['r'], atSeconds: NOW_SECONDS }
  await aws.grants.put(put)
  await aws.grants.putNotIssued(outcome)
  await aws.orders.put(applied)
  const answer = await aws.handler({ Records: await aws.stream() })
  expect(answer).toEqual({ batchItemFailures: [] })
  // One stream's order is that of each row, not of the table.
  const entries = await aws.entries()
  expect(entries.filter(({ kind }) => kind !== 'revocation')).toEqual([
    { kind: 'grant', record: put.record },
    { kind: 'not_issued', outcome: outcome.outcome },
  ])
  expect(entries).toContainEqual({ kind: 'revocation', applied })
  expect(aws.lines).toEqual([])
})

test('an outcome that comes without its record tells whose it was all the same: the record is read where it lies', async () => {
  const put = samplePut('a')
  await aws.grants.put(put)
  await aws.grants.putNotIssued(sampleNotIssued(put))
  const outcome = (await aws.stream()).filter(({ dynamodb }) => dynamodb?.Keys?.['sk']?.['S'] === 'OUT')
  expect(await aws.handler({ Records: outcome })).toEqual({ batchItemFailures: [] })
  expect(await aws.events()).toEqual([
    expect.objectContaining({
      status_code: 'not_issued',
      user: expect.objectContaining({ uid: put.record.credential.sub }),
    }),
  ])
})

test('records that come twice, in any order and in any batch, are in the log once', async () => {
  for (const guard of ['a', 'b', 'c', 'd']) await aws.grants.put(samplePut(guard))
  const records = await aws.stream()
  await aws.handler({ Records: records.toReversed() })
  await aws.handler({ Records: records.slice(1, 3) })
  await aws.handler({ Records: [...records, ...records] })
  const entries = await aws.entries()
  expect(entries).toHaveLength(4)
  expect(new Set(idsOf(entries)).size).toBe(4)
})

test('the first record that cannot be taken is named, nothing before it comes again, and nothing behind it is lost', async () => {
  for (const tenant of ['acme', 'acme', 'globex', 'acme']) await aws.grants.put(samplePut(randomUUID(), {}, { tenant }))
  const records = (await aws.stream()).toSorted((x, y) => sequenceOf(x) - sequenceOf(y))
  let isDown = true
  const failing: AuditLog = {
    async append(tenant, entries) {
      if (isDown && tenant === 'globex') throw new Unavailable('store_unavailable')
      await aws.auditLog.append(tenant, entries)
    },
  }
  const theirs = records.find((record) => isRecord(record) && feedTenant(record) === 'globex')!
  const handler = aws.handlerOver(failing)
  expect(await handler({ Records: records })).toEqual({
    batchItemFailures: [{ itemIdentifier: theirs.dynamodb!.SequenceNumber }],
  })
  // Another tenant's entries did not wait for it.
  expect(await aws.entries('acme')).toHaveLength(3)
  isDown = false
  const again = records.slice(records.indexOf(theirs))
  expect(await handler({ Records: again })).toEqual({ batchItemFailures: [] })
  expect([(await aws.entries('acme')).length, (await aws.entries('globex')).length]).toEqual([3, 1])
})

test('a record nobody can read is quarantined by where it lies, counted, and holds up nothing behind it', async () => {
  await aws.grants.put(samplePut('a'))
  await aws.grants.put(samplePut('b'))
  // Beside each record lies where it is found, which is no entry.
  const [first, second] = (await aws.stream()).filter(isRecord)
  const broken = structuredClone(first!) as { dynamodb: { NewImage: Record<string, unknown> } }
  broken.dynamodb.NewImage['v'] = { N: '99' }
  expect(await aws.handler({ Records: [broken as StreamRecord, second!] })).toEqual({ batchItemFailures: [] })
  expect(await aws.entries()).toHaveLength(1)
  expect(messagesIn(aws.queues, 'audit-dlq')).toEqual([
    { body: expect.stringContaining('"pk":"T#acme#G#'), reason: 'row_unreadable' },
  ])
  expect(aws.lines.map(({ fields }) => fields['alarm'])).toEqual(['record_unreadable'])
})

test('a record that was changed, or removed by anybody but the service, is an alarm and a counted metric', async () => {
  const put = samplePut('a')
  await aws.grants.put(put)
  const inserted = (await aws.stream()).find(isRecord)
  const { Keys } = inserted!.dynamodb as { Keys: never }
  const changed = (eventName: string, over: object = {}): StreamRecord => ({
    eventID: `id-${eventName}`,
    eventName,
    dynamodb: { Keys, SequenceNumber: '1' },
    ...over,
  })
  const expiry = { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }
  const forged = { userIdentity: { type: 'Service', principalId: 'somebody.else' } }
  await aws.handler({
    Records: [changed('MODIFY'), changed('REMOVE'), changed('REMOVE', expiry), changed('REMOVE', forged)],
  })
  expect(aws.lines.map(({ fields }) => fields)).toEqual(
    ['MODIFY', 'REMOVE', 'REMOVE'].map((change) =>
      expect.objectContaining({ alarm: 'record_tampered', tenant: 'acme', change, record_tampered: 1 }),
    ),
  )
  expect(aws.lines[0]!.fields['_aws']).toMatchObject({
    CloudWatchMetrics: [{ Namespace: 'Mintmark', Metrics: [{ Name: 'record_tampered', Unit: 'Count' }] }],
  })
  expect(await aws.entries()).toEqual([])
})

test('a lifted block, a document, a removed tenant and each key that is made or erased are in the log, with who and why, once', async () => {
  const revocations = createRevocationStore(aws.core)
  const configs = createTenantConfigStore(aws.core)
  const keys = createSigningKeyStore(aws.core)
  const put = sampleRevocation()
  await revocations.put(put)
  await revocations.put(sampleRevocation({ form: 'cut', notBeforeSeconds: NOW_SECONDS + 32 }))
  const lift = {
    tenant: 'acme',
    id: put.id,
    by: 'aws:AROA:alice',
    reason: 'runner rebuilt',
    atSeconds: NOW_SECONDS + 9,
  }
  expect(await revocations.lift(lift)).toBe(true)
  await configs.put(sampleConfig())
  await configs.tombstone('acme', NOW_SECONDS + 10, 'alice')
  await configs.tombstone('acme', NOW_SECONDS + 11, 'bob')
  await keys.insert(sampleKey())
  await keys.prove('acme', 'kid-1', NOW_SECONDS)
  const { pk, sk } = signingKeyKey('acme', 'kid-1')
  await aws.client.send(new DeleteItemCommand({ TableName: aws.core.name, Key: { pk: { S: pk }, sk: { S: sk } } }))
  const Records = await aws.stream()
  for (let time = 0; time < 2; time += 1) expect(await aws.handler({ Records })).toEqual({ batchItemFailures: [] })
  const { kind, issuer, value } = put
  const changes = (await aws.entries()).map((entry) => (entry.kind === 'change' ? entry.change : entry))
  expect(changes).toHaveLength(5)
  expect(changes).toEqual(
    expect.arrayContaining([
      { what: 'unblock', ...lift, revocation: put.id, kind, issuer, value },
      { what: 'removal', id: 'removal', tenant: 'acme', atSeconds: NOW_SECONDS + 10, by: 'alice' },
      expect.objectContaining({ what: 'erasure', tenant: 'acme', erased: 'KID#kid-1' }),
      expect.objectContaining({ what: 'key', id: `key.kid-1.${sampleKey().state}`, kid: 'kid-1' }),
      expect.objectContaining({ what: 'config', id: 'config.1', version: 1, author: sampleConfig().author }),
    ]),
  )
  expect(aws.lines).toEqual([])
})

test('each move of a key is in the log, and a document that is written over is an alarm', async () => {
  const keys = createSigningKeyStore(aws.core)
  await keys.insert(sampleKey({ state: 'prepared' }))
  await keys.prove('acme', 'kid-1', NOW_SECONDS)
  await keys.move('acme', 'kid-1', 'prepared', 'active', NOW_SECONDS)
  await createTenantConfigStore(aws.core).put(sampleConfig())
  const Records = await aws.stream()
  const document = Records.find(({ dynamodb }) => dynamodb?.Keys?.['sk']?.['S'] === 'V#000001')!
  await aws.handler({ Records: [...Records, { ...document, eventName: 'MODIFY' }] })
  const states = (await aws.entries()).flatMap((entry) =>
    entry.kind === 'change' && entry.change.what === 'key' ? entry.change.state : [],
  )
  expect(states).toEqual(['prepared', 'active'])
  expect(aws.lines.map(({ fields }) => fields)).toEqual([
    expect.objectContaining({ alarm: 'record_tampered', tenant: 'acme', change: 'MODIFY' }),
  ])
})

test('what receivers answered is in the log: what each has, and once that it did not take it; leases and retries are not', async () => {
  const document = JSON.stringify({ receivers: { r: { type: 'poll' } } })
  await createTenantConfigStore(aws.core).put(sampleConfig({ document }))
  for (const value of ['1', '2'])
    await createRevocationStore(aws.core).put(sampleRevocation({ id: randomUUID(), value }))
  const receivers = createReceivers(aws.core)
  const key = { tenant: 'acme', name: 'r' }
  const failed = { seq: 2, jti: 'second', problem: 'status_5xx', status: 503, bytes: 0 }
  await receivers.answer(key, [{ seq: 1, jti: 'first', problem: null, status: 202, bytes: 0 }, failed], NOW_SECONDS)
  await receivers.lease(key, 'me', NOW_SECONDS * 1000)
  await receivers.answer(key, [failed], NOW_SECONDS + 1)
  await receivers.release(key, 'me')
  await receivers.answer(key, [{ ...failed, problem: null, status: null }], NOW_SECONDS + 2)
  const Records = await aws.stream()
  for (let time = 0; time < 2; time += 1) expect(await aws.handler({ Records })).toEqual({ batchItemFailures: [] })
  const told = (await aws.entries()).flatMap((entry) =>
    entry.kind === 'change' && entry.change.what === 'receiver' ? entry.change : [],
  )
  expect(
    told.map(({ receiver, seq, jti, problem, status, atSeconds }) => [receiver, seq, jti, problem, status, atSeconds]),
  ).toEqual([
    ['r', 1, 'first', null, 202, NOW_SECONDS],
    ['r', 2, 'second', 'status_5xx', 503, NOW_SECONDS],
    ['r', 2, 'second', null, null, NOW_SECONDS + 2],
  ])
  expect(aws.lines).toEqual([])
})

test('a block or a cut that is gone and nobody says to have lifted, and a tombstone that is taken back, are alarms', async () => {
  const put = sampleRevocation()
  await createRevocationStore(aws.core).put(put)
  const { Keys, NewImage } = (await aws.stream()).find(({ dynamodb }) =>
    String(dynamodb?.Keys?.['pk']?.['S']).includes('#RV#'),
  )!.dynamodb!
  const change = (
    keys: StreamAttributes,
    OldImage: StreamAttributes,
    after: StreamAttributes,
    eventName = 'MODIFY',
  ) => ({
    eventName,
    eventID: 'e',
    dynamodb: { Keys: keys, OldImage, NewImage: after, SequenceNumber: '1' },
  })
  const { block, ...gone } = NewImage!
  const liftedOther = {
    M: { id: { S: 'another' }, liftedBy: { S: 'x' }, liftedReason: { S: 'x' }, liftedAt: { N: '1' } },
  }
  const current = { pk: { S: 'T#acme#CFG' }, sk: { S: 'CUR' } }
  await aws.handler({
    Records: [
      change(Keys!, NewImage!, gone),
      change(Keys!, NewImage!, { ...gone, lifted: liftedOther }),
      change(Keys!, NewImage!, {}, 'REMOVE'),
      change(Keys!, { ...gone, cut: block! }, gone),
      change(current, { tombstonedAt: { N: '1' } }, {}),
      change(current, { tombstonedAt: { N: '1' } }, { tombstonedAt: { N: '2' } }),
    ],
  })
  expect(aws.lines.map(({ fields }) => fields['alarm'])).toEqual(Array(6).fill('record_tampered'))
  expect(await aws.entries()).toEqual([])
})

test('rows of other kinds are no concern, nor are the row of the current document and revocations that are orders carried out', async () => {
  const other = (pk: string, sk: string): StreamRecord => ({
    eventName: 'MODIFY',
    dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } }, NewImage: {}, SequenceNumber: '1' },
  })
  const rows = [other('T#acme#CFG', 'CUR'), other('T#acme#RV#3', 'run#github#x'), other('CLOCK', 'M')]
  // A guard cannot pass for another family, whatever it is.
  expect(grantKey('acme', 'RO#x').pk).toBe('T#acme#G#RO#x')
  expect(await aws.handler({ Records: rows })).toEqual({ batchItemFailures: [] })
  expect(aws.lines).toEqual([])
})

test('denials come over their queue, each found by its id afterwards, and a message that comes twice counts once', async () => {
  const sent = Array.from({ length: 30 }, () => sampleDenial())
  for (const denial of sent) {
    aws.denials.send(denial)
    await aws.denials.flush()
  }
  const bodies = messagesIn(aws.queues, 'denials').map(({ body }) => body)
  const deliver = () => deliverBatch(aws.queues.client, aws.denialQueue.queueUrl, aws.handler)
  while ((await deliver()) > 0);
  const again = bodies.map((body, at) => ({
    messageId: `again-${at}`,
    body,
    attributes: { ApproximateReceiveCount: '2', MessageGroupId: 'acme' },
  }))
  expect(await aws.handler({ Records: again })).toEqual({ batchItemFailures: [] })
  const entries = await aws.entries()
  expect(entries.filter(({ kind }) => kind === 'denial')).toHaveLength(LIMITS.denialsFullPerMinute)
  const counted = entries.reduce((sum, entry) => sum + (entry.kind === 'roll_up' ? entry.rollUp.count : 1), 0)
  expect(counted).toBe(30)
  const lookup = createDenialLookup(aws.log)
  const found: unknown[] = []
  for (const { decisionId } of sent) found.push((await lookup.find(decisionId, 'acme'))?.kind)
  expect(found).toEqual([
    ...Array(LIMITS.denialsFullPerMinute).fill('deny'),
    ...Array(30 - LIMITS.denialsFullPerMinute).fill('rolled_up'),
  ])
})

const sequenceOf = (record: StreamRecord): number => Number(record.dynamodb?.SequenceNumber)
/** The row of a record itself. */
const isRecord = (record: StreamRecord): boolean => /^T#[^#]+#G#/.test(String(record.dynamodb?.Keys?.['pk']?.['S']))
const feedTenant = (record: StreamRecord): string | undefined =>
  /^T#([a-z0-9]+)#/.exec(String(record.dynamodb?.Keys?.['pk']?.['S']))?.[1]

test('what follows from a denial is done once it is in the log, and again where it could not be: the log has it once', async () => {
  const denial = sampleDenial()
  aws.denials.send(denial)
  await aws.denials.flush()
  let isAway = true
  const seen: number[] = []
  const follow = async (entries: readonly AuditEntry[]) => {
    seen.push((await aws.entries()).length)
    expect(entries).toMatchObject([{ kind: 'denial', denial: { decisionId: denial.decisionId } }])
    if (isAway) throw new Unavailable('store_unavailable')
  }
  const handler = aws.handlerOver(aws.auditLog, follow)
  const deliver = () => deliverBatch(aws.queues.client, aws.denialQueue.queueUrl, handler)
  await deliver()
  isAway = false
  while ((await deliver()) > 0);
  expect([seen[0], seen.length > 1, (await aws.entries()).length]).toEqual([1, true, 1])
})

test('a record that the stream never brought is in the log after a run by the clock, with an alarm, and once', async () => {
  const { log, grants, auditLog, handler, lines } = aws
  const atSeconds = Math.floor(Date.now() / 1000) - 2 * 3600
  const decisionId = createIds({ nowMs: () => atSeconds * 1000 } as never).decisionId()
  const keepUntilSeconds = atSeconds + 86_400
  const lost = samplePut('never-brought', { keepUntilSeconds }, { atSeconds, decisionId })
  await grants.put(lost)
  // The log is there, and was compared up to the hour before.
  await auditLog.append('acme', [{ kind: 'grant', record: samplePut('other').record }])
  await createLogList(log).comparedUntil('acme', hourOf(atSeconds))
  const before = await createLogLeaves(log).leaves('acme', 0, 100)
  for (let run = 0; run < 2; run += 1) expect(await handler(SCHEDULED)).toEqual({ batchItemFailures: [] })
  const after = await createLogLeaves(log).leaves('acme', 0, 100)
  expect(after.length - before.length).toBe(2)
  expect(await createLogLeaves(log).leafOf('acme', decisionId)).not.toBeNull()
  expect(lines.map(({ message }) => message)).toEqual([ALARMS.record_unlogged])
})
