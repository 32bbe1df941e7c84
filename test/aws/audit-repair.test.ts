// What the stream of the core table lost is found by whoever compares the log with its rows, and appended by audit's clock: every kind of
// change, under the id the stream would have given it, once, and of the one tenant. Longer than 300
// lines: one table of kinds, tried in several ways.
import { randomUUID } from 'node:crypto'
import {
  type AttributeValue,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHandler } from '../../functions/audit/handler.ts'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { createControlRecords } from '../../lib/adapters/aws/dynamo-control-records.ts'
import { createDenialRecords } from '../../lib/adapters/aws/dynamo-denials.ts'
import { createEventSources } from '../../lib/adapters/aws/dynamo-event-sources.ts'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { createLogList } from '../../lib/adapters/aws/dynamo-log-list.ts'
import { createLookUps } from '../../lib/adapters/aws/dynamo-look-ups.ts'
import { createHourlyRecords } from '../../lib/adapters/aws/dynamo-records.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { feedItemOf } from '../../lib/adapters/aws/dynamo-stream.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import { appliedOrderKey, revocationChangeKey } from '../../lib/adapters/aws/table-keys.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { ALARMS } from '../../lib/domain/alarm.ts'
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import { headOfEvent } from '../../lib/domain/ocsf/event-head.ts'
import type { AppliedOrder } from '../../lib/domain/revocation-order.ts'
import { agreesWithSource } from '../../lib/flows/audit/agree-with-sources.ts'
import { hourOf, unloggedOfAll } from '../../lib/flows/audit/find-unlogged.ts'
import { repairLogs } from '../../lib/flows/audit/repair-logs.ts'
import { revokeOrder } from '../../lib/flows/revocation/revoke-order.ts'
import type { StoredLeaf } from '../../lib/ports/tenant-log.ts'
import { SCHEDULED, type StreamRecord } from '../../lib/wire/lambda-events.ts'
import { COMPARE } from '../../scripts/exchange-requests.ts'
import {
  sampleConfig,
  sampleDenial,
  sampleKey,
  sampleOrder,
  samplePut,
  sampleRevocation,
} from '../contract/sample-rows.ts'
import { countRequests } from '../support/dynamodb-counter.ts'
import { createTables, localDynamo, readStream } from '../support/dynamodb-local.ts'
import { treeLogIn } from '../support/tree-log.ts'

/** Nobody waits, and the emulator is slow on a busy machine. */
const WAIT_MS = 60_000
const NOW = Math.floor(Date.now() / 1000)
const BEFORE = NOW - 2 * 3600

const open = async (hasStream = true) => {
  const names = await createTables(hasStream)
  const client = new DynamoDBClient({ ...localDynamo(), maxAttempts: 5 })
  const [core, log] = [tableOf(names.core, client, WAIT_MS), tableOf(names.log, client, WAIT_MS)]
  const tree = treeLogIn(createTenantLog(log, nodeSha256))
  const lines: string[] = []
  const compared = {
    records: createHourlyRecords(core),
    control: createControlRecords(core),
    store: tree.store,
    retention: { expired: async () => null },
    clock: systemClock,
  }
  const repair = { ...compared, list: createLogList(log) }
  const leaves = createLogLeaves(log)
  const quarantine = { put: async () => undefined }
  return {
    client,
    names,
    core,
    log,
    lines,
    tree,
    repair,
    list: repair.list,
    handler: createHandler({
      ports: { log: tree.log, quarantine },
      repair,
      denials: createDenialRecords(log),
      denialQuarantine: quarantine.put,
      follow: async () => undefined,
      readChange: feedItemOf,
      log: { error: (line: unknown) => void lines.push(String(line)) },
    } as never),
    stream: async () => (await readStream(names.core)) as readonly StreamRecord[],
    unlogged: async (tenant = 'acme') => (await unloggedOfAll(compared, tenant)).map(({ id }) => id),
    events: async (tenant = 'acme') => eventsOf(await leaves.leaves(tenant, 0, 20_000)),
    /** The log is there, and was compared up to the hour that all of this happens in. */
    async begin(tenant = 'acme', hour = hourOf(BEFORE)) {
      await tree.log.append(tenant, [{ kind: 'grant', record: samplePut(tenant, {}, { tenant }).record }])
      await repair.list.comparedUntil(tenant, hour)
    },
  }
}
let aws: Awaited<ReturnType<typeof open>>
beforeEach(async () => {
  aws = await open()
})
afterEach(() => aws.client.destroy())

const eventsOf = (leaves: readonly StoredLeaf[]) => leaves.map(({ canonical }) => JSON.parse(canonical) as OcsfEvent)
const uidsOf = (events: readonly OcsfEvent[]) => events.map(({ metadata: { uid } }) => uid)
const carryOut = async (at: number, over: Parameters<typeof sampleOrder>[0] = {}) => {
  const order = sampleOrder({ ...over, orderedAtSeconds: at })
  const done = await revokeOrder(
    {
      proofs: { verify: async () => 'uid:1000' },
      revocations: createRevocationStore(aws.core),
      orders: createAppliedOrders(aws.core),
      clock: { nowSeconds: () => at } as never,
      ids: { decisionId: randomUUID } as never,
    },
    order,
    null,
  )
  if (done.kind !== 'applied') throw new Error(done.refusal)
  return done.applied
}

/** Each does one thing at a time that was two hours ago, and says under which ids the log owes it. */
const KINDS: Readonly<Record<string, (at: number) => Promise<readonly string[]>>> = {
  'an order carried out': async (at) => [(await carryOut(at)).order.id],
  'a lifted block, though it was blocked and lifted once more since': async (at) => {
    const store = createRevocationStore(aws.core)
    const ids: string[] = []
    for (const reason of ['rebuilt', 'rebuilt again']) {
      const { id } = await store.put(sampleRevocation({ id: randomUUID(), atSeconds: at }))
      await store.lift({ tenant: 'acme', id, by: 'aws:AROA:alice', reason, atSeconds: at })
      ids.push(id)
    }
    return ids
  },
  'each version of the document': async (at) => {
    const configs = createTenantConfigStore(aws.core)
    for (const version of [1, 2, 3])
      await configs.put(sampleConfig({ version, digest: `digest-${version}`, appliedAtSeconds: at }))
    return ['config.1', 'config.2', 'config.3']
  },
  'the removal of the tenant': async (at) => {
    const configs = createTenantConfigStore(aws.core)
    await configs.put(sampleConfig({ appliedAtSeconds: at }))
    await configs.tombstone('acme', at, 'alice')
    return ['config.1', 'removal']
  },
  'each move of a key, the last of them too': async (at) => {
    const keys = createSigningKeyStore(aws.core)
    await keys.insert(sampleKey({ createdAtSeconds: at }))
    await keys.move('acme', 'kid-1', 'prepared', 'active', at + 1)
    await keys.move('acme', 'kid-1', 'active', 'retiring', at + 2)
    await keys.move('acme', 'kid-1', 'retiring', 'retired', at + 3)
    return ['prepared', 'active', 'retiring', 'retired'].map((state) => `key.kid-1.${state}`)
  },
  'a key that was tainted while it signed': async (at) => {
    const keys = createSigningKeyStore(aws.core)
    await keys.insert(sampleKey({ createdAtSeconds: at }))
    await keys.move('acme', 'kid-1', 'prepared', 'active', at + 1)
    await keys.move('acme', 'kid-1', 'active', 'tainted', at + 2)
    return ['prepared', 'active', 'tainted'].map((state) => `key.kid-1.${state}`)
  },
  'a look-up': async (at) => {
    await createLookUps(aws.core).tell({ tenant: 'acme', decisionId: randomUUID(), by: 'alice', atSeconds: at })
    return (await createControlRecords(aws.core).lookUps('acme', hourOf(at))).map((entry) =>
      entry.kind === 'change' ? entry.change.id : '',
    )
  },
}

/** Audit's own rows, which the stream has nothing to do with. */
const KEPT_DENIALS: typeof KINDS = {
  'a denial': async (at) => [(await keepDenial({ kind: 'denial', denial: sampleDenial({ atSeconds: at }) }))[0]!],
  'a denial that is a finding': (at) =>
    keepDenial({ kind: 'denial', denial: sampleDenial({ atSeconds: at }, 'signature_invalid') }),
  'a count that lists decisions': async (at) => {
    const counted = { tenant: 'acme', minute: Math.floor(at / 60), kind: 'replayed', source: '192.0.2.1', count: 2 }
    return keepDenial({
      kind: 'roll_up',
      rollUp: { ...counted, id: randomUUID(), listed: [randomUUID()], unlisted: 1 },
    })
  },
}
const keepDenial = async (entry: AuditEntry): Promise<readonly string[]> => {
  await createDenialRecords(aws.log).keep('acme', [entry])
  const before = uidsOf(await aws.events())
  await aws.tree.log.append('acme', [entry])
  return uidsOf(await aws.events()).slice(before.length)
}

test.each(Object.entries({ ...KINDS, ...KEPT_DENIALS }))(
  '%s is held against its row as long as that is there, in its own tenant',
  async (_, happen) => {
    await aws.begin()
    const owed = await happen(BEFORE)
    await aws.handler({ Records: await aws.stream() })
    const leaves = (await createLogLeaves(aws.log).leaves('acme', 0, 100)).filter(({ canonical }) =>
      owed.includes(headOfEvent(canonical).metadata.uid),
    )
    expect(leaves).toHaveLength(owed.length)
    const problemsIn = async (tenant: string) => {
      const sources = createEventSources({ core: aws.core, log: aws.log })
      const { check } = await agreesWithSource(sources, tenant, NOW)(leaves)
      return Promise.all(leaves.map(({ canonical }) => check({ canonical, head: headOfEvent(canonical) })))
    }
    expect(await problemsIn('acme')).toEqual(owed.map(() => null))
    expect(await problemsIn('globex')).toEqual(owed.map(() => 'record_missing'))
    await removeAll(aws.names.core, /^T#acme#(?:RO|RV|CFG|K|LU)/)
    await removeAll(aws.names.log, /^L#acme#D#/)
    expect(await problemsIn('acme')).toEqual(owed.map(() => 'record_missing'))
  },
)

test('a key that was erased with its tenant is not missing: the log says that it was', async () => {
  await aws.begin()
  await KINDS['a key that was tainted while it signed']!(BEFORE)
  await aws.handler({ Records: await aws.stream() })
  await removeAll(aws.names.core, /^T#acme#K$/)
  const sources = createEventSources({ core: aws.core, log: aws.log })
  const asked = [{ kind: 'key', uid: 'key.kid-1.active', kid: 'kid-1', state: 'active' }] as const
  expect(await sources.of('acme', asked)).toEqual(new Map())
  await aws.handler({ Records: await aws.stream() })
  expect(await sources.of('acme', asked)).toEqual(new Map([['key.kid-1.active', 'later']]))
})

const removeAll = async (TableName: string, pks: RegExp) => {
  const { Items = [] } = await aws.client.send(new ScanCommand({ TableName }))
  for (const { pk, sk } of Items.filter((row) => pks.test(row['pk']!.S!)))
    await aws.client.send(new DeleteItemCommand({ TableName, Key: { pk: pk!, sk: sk! } }))
}

describe.each(Object.entries(KINDS))('%s, that the stream never brought', (_, happen) => {
  test('is named by who compares, appended by the clock once, and nothing more when the stream brings it after all', async () => {
    await aws.begin()
    const owed = await happen(BEFORE)
    expect(owed.length).toBeGreaterThan(0)
    expect((await aws.unlogged()).toSorted()).toEqual(owed.toSorted())
    for (let run = 0; run < 2; run += 1) await aws.handler(SCHEDULED)
    const events = await aws.events()
    expect(uidsOf(events).filter((uid) => owed.includes(uid))).toEqual(expect.arrayContaining([...owed]))
    expect(new Set(uidsOf(events)).size).toBe(events.length)
    expect(new Set(aws.lines)).toEqual(new Set([ALARMS.record_unlogged]))
    await aws.handler({ Records: await aws.stream() })
    expect(uidsOf(await aws.events())).toEqual(uidsOf(events))
  })

  test('is the event, time and all, that the stream would have made of it', async () => {
    await aws.begin()
    const owed = await happen(BEFORE)
    await aws.handler(SCHEDULED)
    const repaired = await aws.events()
    // The same log, had the stream been there.
    const other = tableOf((await createTables()).log, aws.client, WAIT_MS)
    const brought = (await aws.stream()).map(feedItemOf).flatMap((item) => (item.kind === 'entry' ? [item.entry] : []))
    await treeLogIn(createTenantLog(other, nodeSha256)).log.append('acme', brought)
    const told = eventsOf(await createLogLeaves(other).leaves('acme', 0, 100))
    for (const uid of owed) expect(bare(repaired, uid)).toEqual(bare(told, uid))
  })

  test('is not owed while it may be on its way, nor by the log of another tenant', async () => {
    for (const tenant of ['acme', 'globex']) await aws.begin(tenant)
    const before = [await aws.events(), await aws.events('globex')]
    await happen(NOW)
    expect(await aws.unlogged()).toEqual([])
    await aws.handler(SCHEDULED)
    expect([await aws.events(), await aws.events('globex')]).toEqual(before)
    expect(aws.lines).toEqual([])
  })
})

const bare = (events: readonly OcsfEvent[], uid: string) => {
  const { attestation_list: _, ...event } = events.find(({ metadata }) => metadata.uid === uid)!
  const { sequence: __, ...metadata } = event.metadata
  return { ...event, metadata }
}

const rowsOf = (order: AppliedOrder, number: number) => [
  {
    ...keyed(revocationChangeKey('acme', number)),
    ...Object.fromEntries(Object.entries(order.order.selectors[0]!).map(([name, value]) => [name, { S: value }])),
    form: { S: 'block' },
    at: { N: String(order.atSeconds) },
    order: { S: order.order.id },
  },
  { ...keyed(appliedOrderKey('acme', order.order.id)), v: { N: '1' }, body: { S: JSON.stringify(order) } },
]
const keyed = ({ pk, sk }: { readonly pk: string; readonly sk: string }) => ({ pk: { S: pk }, sk: { S: sk } })
const write = async (items: readonly Record<string, AttributeValue>[]) => {
  for (let at = 0; at < items.length; at += 25) {
    const puts = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }))
    await aws.client.send(new BatchWriteItemCommand({ RequestItems: { [aws.names.core]: puts } }))
  }
}

test('10,000 orders that the stream lost are looked for a hundred at a time, a run that is out of time goes on where it ended, and none is read twice', async () => {
  aws.client.destroy()
  aws = await open(false)
  const orders = Array.from({ length: 10_000 }, (_, at): AppliedOrder => {
    const order = sampleOrder({ selectors: [{ kind: 'run', issuer: 'github', value: String(at) }] })
    return { v: 1, order, by: 'uid:1000', revocations: [randomUUID()], atSeconds: BEFORE }
  })
  await write(orders.flatMap((order, at) => rowsOf(order, at + 1)))
  await aws.begin('acme', hourOf(BEFORE) + 1)
  const counter = countRequests(aws.client)
  const state = { ms: 0 }
  const alarms: string[] = []
  const ports = {
    ...aws.repair,
    log: {
      append: async () => {
        state.ms += LIMITS.repairRunMs / 30
      },
    },
    alarm: (kind: string) => void alarms.push(kind),
    clock: { nowSeconds: () => NOW, monotonicMs: () => state.ms },
  }
  const reached: number[] = []
  const requests = { Query: 0, BatchGetItem: 0 }
  for (let run = 0; run < 4; run += 1) {
    // Each time an hour is over, and has been for long enough, whatever the minute this test runs in.
    ports.clock.nowSeconds = () => (hourOf(NOW) + run) * 3600 + 1_800
    state.ms = 0
    await repairLogs(ports)
    reached.push((await aws.list.compared())[0]!.revocation)
    const { requests: asked } = counter.take()
    requests.Query += asked['Query'] ?? 0
    requests.BatchGetItem += asked['BatchGetItem'] ?? 0
  }
  expect(reached).toEqual([3_000, 6_000, 9_000, 10_000].map((number) => expect.closeTo(number, -3)))
  expect(alarms).toHaveLength(10_000 / LIMITS.changesPerCompare)
  // A page of changes, whether they are in the log, and what they are.
  expect(requests.BatchGetItem).toBeLessThanOrEqual((2 * 10_000) / LIMITS.changesPerCompare + 8)
  expect(requests.Query).toBeLessThanOrEqual(10_000 / LIMITS.changesPerCompare + 4 * (2 * 16 + 8))
})

test('an hour in which nothing happened asks for as few reads as docs/cost.md counts with', async () => {
  const at = BEFORE - 3600
  await carryOut(at)
  await createTenantConfigStore(aws.core).put(sampleConfig({ appliedAtSeconds: at }))
  await createSigningKeyStore(aws.core).insert(sampleKey({ createdAtSeconds: at }))
  await aws.handler({ Records: await aws.stream() })
  await aws.list.comparedUntil('acme', hourOf(at))
  await aws.handler(SCHEDULED)
  const counter = countRequests(aws.client)
  const clock = { nowSeconds: () => NOW + 3600, monotonicMs: () => 0 }
  await repairLogs({ ...aws.repair, log: aws.tree.log, alarm: () => expect.fail('nothing is missing'), clock })
  const { requests, readUnits, writeUnits } = counter.take()
  // The list of logs itself is no tenant's.
  const { Query = 0, ...others } = requests
  expect({ ...others, Query: Query - 16 }).toEqual(COMPARE.tenantHour.requests)
  expect([readUnits - 16, writeUnits]).toEqual([COMPARE.tenantHour.readUnits, COMPARE.tenantHour.writeUnits])
})

test('an order that was not carried out to its end is not owed, and holds up nothing behind it', async () => {
  const [given, done] = [sampleOrder(), sampleOrder()].map(
    (order): AppliedOrder => ({ v: 1, order, by: 'uid:1000', revocations: ['r'], atSeconds: BEFORE }),
  ) as [AppliedOrder, AppliedOrder]
  await write([rowsOf(given, 1)[0]!, ...rowsOf(done, 2)])
  await aws.begin()
  expect(await aws.unlogged()).toEqual([done.order.id])
  await aws.handler(SCHEDULED)
  expect(await aws.unlogged()).toEqual([])
})

test('a document of a clock that is years ahead holds up none behind it', async () => {
  const configs = createTenantConfigStore(aws.core)
  await configs.put(sampleConfig({ appliedAtSeconds: NOW + 10 * 365 * 86_400 }))
  await configs.put(sampleConfig({ version: 2, digest: 'digest-2', appliedAtSeconds: BEFORE }))
  await aws.begin()
  await aws.handler(SCHEDULED)
  expect(uidsOf(await aws.events())).toEqual(expect.arrayContaining(['config.1', 'config.2']))
})

test('a lift that was said by nobody, because who did it died, is said by whoever does it again, as it was done', async () => {
  const store = createRevocationStore(aws.core)
  const { id } = await store.put(sampleRevocation({ atSeconds: BEFORE }))
  const lift = { tenant: 'acme', id, by: 'aws:AROA:alice', reason: 'rebuilt', atSeconds: BEFORE }
  await store.lift(lift)
  expect(await store.lift({ ...lift, by: 'aws:AROA:bob', reason: 'again', atSeconds: NOW - 3600 })).toBe(false)
  await aws.begin()
  await aws.handler(SCHEDULED)
  const lifted = (await aws.events()).filter(({ metadata: { uid } }) => uid === id)
  expect(lifted).toEqual([
    expect.objectContaining({ status_code: 'unblocked', time: BEFORE * 1000, comment: 'rebuilt' }),
  ])
})
