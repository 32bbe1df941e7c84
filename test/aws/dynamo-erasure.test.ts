// What is to be gone is gone from DynamoDB, and nothing else: events that have expired, with what was kept of their denials, and what a
// removed tenant left. What stays of a log verifies.
import { randomUUID } from 'node:crypto'
import { DeleteItemCommand, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { expect, onTestFinished, test } from 'vitest'
import { createDenialLookup, createDenialRecords } from '../../lib/adapters/aws/dynamo-denials.ts'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { createLogList } from '../../lib/adapters/aws/dynamo-log-list.ts'
import { createLogRetention } from '../../lib/adapters/aws/dynamo-log-retention.ts'
import { createPublicLog } from '../../lib/adapters/aws/dynamo-public-log.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createSinkCursors } from '../../lib/adapters/aws/dynamo-sink-cursors.ts'
import { createSinkErrands } from '../../lib/adapters/aws/dynamo-sink-errands.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantEraser } from '../../lib/adapters/aws/dynamo-tenant-eraser.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'
import { checkpointText, noteOf } from '../../lib/domain/tlog/signed-note.ts'
import { rootOfEdge } from '../../lib/domain/tlog/tiles.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { verifyLog } from '../../lib/flows/audit/verify-log.ts'
import { sampleConfig, sampleDenial, sampleKey, sampleRecord } from '../contract/sample-rows.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { treeLogIn } from '../support/tree-log.ts'
import { dynamoClient } from './dynamo-stores.ts'

const DAY = 24 * 3600
const START = 1_790_000_000
const WAIT_MS = 60_000

const setUp = async () => {
  const names = await createTables()
  const client = dynamoClient()
  onTestFinished(() => client.destroy())
  const [core, table] = [tableOf(names.core, client, WAIT_MS), tableOf(names.log, client, WAIT_MS)]
  const { log, store } = treeLogIn(createTenantLog(table, nodeSha256))
  const retention = createLogRetention(table)
  const leaves = createLogLeaves(table)
  const published = createPublicLog(table, nodeSha256)
  const keyOf = (tenant: string) => ({ name: `sts.example.com/t/${tenant}/log`, publicKey: new Uint8Array(32) })
  /** What is appended, and a checkpoint of it all, at a time. */
  const append = async (entries: readonly AuditEntry[], atSeconds: number, tenant = 'acme') => {
    await createDenialRecords(table).keep(tenant, entries)
    await log.append(tenant, entries)
    const { origin, edge } = (await store.head(tenant))!
    const text = checkpointText({ origin, size: edge.size, root: rootOfEdge(nodeSha256, edge) })
    const note = noteOf(nodeSha256, text, [{ key: keyOf(tenant), signature: new Uint8Array(64) }])
    await store.putCheckpoint(tenant, { size: edge.size, note }, atSeconds)
  }
  const verified = async (showsEvents = true) =>
    verifyLog(
      { hashes: { sha256: nodeSha256, sha256Hex }, verify: () => true },
      {
        source: {
          checkpoint: async () => (await published.checkpoint('acme'))?.note ?? null,
          tile: (name) => published.tile('acme', name),
          leaves: async (from, limit) => (showsEvents ? leaves.leaves('acme', from, limit) : null),
          expired: () => retention.expired('acme'),
        },
        keys: [keyOf('acme')],
        tenant: 'acme',
        earlier: (await leaves.history('acme')).map(({ note }) => note),
      },
    )
  return { client, names, core, table, store, retention, leaves, append, verified }
}

const grants = (count: number, over: Parameters<typeof sampleRecord>[0] = {}): AuditEntry[] =>
  Array.from({ length: count }, () => ({
    kind: 'grant',
    record: sampleRecord({ decisionId: randomUUID(), ...over }),
  }))
const denial = (): Extract<AuditEntry, { kind: 'denial' }> => ({ kind: 'denial', denial: sampleDenial() })
const count = (listed: readonly string[]): AuditEntry => ({
  kind: 'roll_up',
  rollUp: {
    id: randomUUID(),
    tenant: 'acme',
    minute: 29_000_000,
    kind: 'token_not_compact',
    source: '192.0.2.1',
    count: listed.length,
    listed,
    unlisted: 0,
  },
})

/** Partition keys of all rows but those of lists. */
const partitions = async (client: DynamoDBClient, TableName: string): Promise<readonly string[]> => {
  const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }))
  return Items.map(({ pk }) => pk!.S!)
}

test('what a checkpoint of long ago covers is gone, with what was kept of its denials, and the log verifies and says how much', async () => {
  const { client, names, table, store, retention, leaves, append, verified } = await setUp()
  const old = [...grants(200), denial()]
  const listed = [randomUUID(), randomUUID()]
  const young = denial()
  await append([...old, count(listed)], START)
  await append([...grants(100), young], START + 40 * DAY)
  const size = (await store.head('acme'))!.edge.size
  const gone = await retention.expire('acme', START + 10 * DAY, [])
  expect(gone).toBeGreaterThan(200)
  expect(await retention.expired('acme')).toMatchObject({ leaves: gone, atSeconds: Math.floor(START / 60) * 60 })
  expect(await verified()).toMatchObject({ bad: null, size, expired: gone, events: size - gone, good: size })
  expect((await leaves.leaves('acme', 0, 1))[0]?.index).toBe(gone)
  const ofDenials = (await partitions(client, names.log)).filter((pk) => pk.startsWith('L#acme#D#'))
  expect(ofDenials).toEqual([`L#acme#D#${young.denial.decisionId}`])
  expect(await createDenialLookup(table).find(listed[0]!, 'acme')).toBeNull()
  // Delivered again by a stream that was held up: that they were in the log is still known.
  await append(old, START + 41 * DAY)
  expect((await store.head('acme'))!.edge.size).toBe(size)
})

test('nothing that is young, or that a sink of the document still waits for, is dropped; a removed sink waits for nothing', async () => {
  const { table, retention, append } = await setUp()
  await append(grants(10), START)
  await append(grants(10), START + DAY)
  await append(grants(10), START + 40 * DAY)
  expect(await retention.expire('acme', START, [])).toBe(0)
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(0)
  const cursors = createSinkCursors(table)
  for (const sink of ['siem', 'removed']) await cursors.lease({ tenant: 'acme', sink }, 'one', 0, 1)
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(0)
  expect(await retention.expired('acme')).toBeNull()
  const give = (leaf: number) =>
    cursors.advance({ tenant: 'acme', sink: 'siem' }, 'one', { leaf, checkpoint: 0 }, [], 1)
  const each = (await createLogLeaves(table).history('acme'))[0]!.size
  await give(each + 1)
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(each)
  await give(3 * each)
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(each)
  expect(await retention.expire('acme', START + 10 * DAY, ['siem'])).toBe(0)
  expect(await retention.expired('acme')).toMatchObject({ leaves: 2 * each })
})

test('what a sink refused goes with the event it is of, and not before', async () => {
  const { table, retention, append } = await setUp()
  await append(grants(10), START)
  await append(grants(10), START + 40 * DAY)
  const [cursors, errands] = [createSinkCursors(table), createSinkErrands(table)]
  const siem = { tenant: 'acme', sink: 'siem' }
  await cursors.lease(siem, 'one', 0, 1)
  const letter = (leaf: number | null, checkpoint: number, canonical: string) => ({
    leaf,
    checkpoint,
    reason: 'too_large' as const,
    canonical,
  })
  const bury = (atSeconds: number, ...letters: ReturnType<typeof letter>[]) =>
    cursors.advance(siem, 'one', { leaf: 40, checkpoint: 0 }, letters, atSeconds)
  await bury(START + 41 * DAY, letter(3, 0, 'an old event'), letter(25, 0, 'a young one'))
  await bury(START, letter(null, 1, 'an old checkpoint'))
  await bury(START + 40 * DAY, letter(null, 2, 'a young checkpoint'))
  const left = async () => (await errands.deadLetters(siem, 0, 10)).map(({ canonical }) => canonical).sort()
  expect(await retention.expire('acme', START, ['siem'])).toBe(0)
  expect(await left()).toHaveLength(4)
  await retention.expire('acme', START + 10 * DAY, ['siem'])
  expect(await left()).toEqual(['a young checkpoint', 'a young one'])
})

test('a run that dies between two rows leaves a log that verifies, and the next one drops the rest', async () => {
  const { client, retention, leaves, append, verified } = await setUp()
  await append(grants(200), START)
  await append(grants(10), START + 40 * DAY)
  let left = 1
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context['commandName'] === DeleteItemCommand.name && left-- <= 0) throw new Error('socket hang up')
      return next(args)
    },
    { step: 'initialize' },
  )
  await expect(retention.expire('acme', START + 10 * DAY, [])).rejects.toThrow(Unavailable)
  const expired = (await retention.expired('acme'))!.leaves
  expect((await leaves.leaves('acme', 0, 1))[0]!.index).toBeLessThan(expired)
  expect(await verified()).toMatchObject({ bad: null, expired })
  left = Number.POSITIVE_INFINITY
  expect(await retention.expire('acme', START + 10 * DAY, [])).toBeGreaterThan(0)
  expect((await leaves.leaves('acme', 0, 1))[0]!.index).toBe(expired)
})

test('a removed tenant loses its keys and all that its log says, what comes later too; its neighbour nothing, and the tree stays', async () => {
  const { client, names, core, table, store, append, verified } = await setUp()
  const [configs, keys, list] = [createTenantConfigStore(core), createSigningKeyStore(core), createLogList(table)]
  const eraser = createTenantEraser({ core, log: table, list, configs })
  for (const tenant of ['acme', 'globex']) {
    await configs.put(sampleConfig({ tenant }))
    for (const use of ['token', 'log'] as const) await keys.insert(sampleKey({ tenant, use, kid: `kid of ${use}` }))
    await keys.feedSecret(tenant, () => new Uint8Array([1]))
    await append([...grants(100, { tenant }), denial()], START, tenant)
    await createSinkErrands(table).ask({ id: 'e', tenant, sink: 'siem', kind: 'test', outcome: null }, START)
  }
  expect(await eraser.due(START + DAY)).toEqual([])
  await expect(eraser.erase('acme', START)).rejects.toThrow('only a removed tenant')
  await configs.tombstone('acme', START, 'uid:1')
  expect(await eraser.due(START)).toEqual([])
  expect(await eraser.due(START + 1)).toEqual(['acme'])
  const before = await partitions(client, names.log)
  expect(await eraser.erase('acme', START)).toBe(true)
  expect(await eraser.due(START + 1)).toEqual([])
  expect(await keys.list('acme')).toEqual([])
  const after = await partitions(client, names.log)
  const isWhatItSaid = (pk: string) => /^(?:L#acme(?:#D#.*)?|K#acme#E)$/.test(pk)
  expect(before.filter(isWhatItSaid).length).toBeGreaterThan(2)
  expect(after).toEqual(before.filter((pk) => !isWhatItSaid(pk)))
  expect(await keys.list('globex')).toHaveLength(2)
  expect(await verified(false)).toMatchObject({ bad: null, size: (await store.head('acme'))!.edge.size })
  // Each key that went becomes an event, of a log that is never signed again.
  await treeLogIn(store).log.append('acme', grants(1))
  expect(await list.due()).toEqual(['globex'])
  expect(await eraser.due(START + 1)).toEqual(['acme'])
  expect(await eraser.erase('acme', START)).toBe(true)
  expect(await eraser.due(START + 1)).toEqual([])
})
