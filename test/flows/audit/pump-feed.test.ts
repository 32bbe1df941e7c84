// The audit stream over the real store: what is committed comes into the log once, in order, whatever happens in between.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { nodeSha256 } from '../../../lib/adapters/keys/log-signer.ts'
import { createChangeFeed } from '../../../lib/adapters/sqlite/change-feed.ts'
import type { Database } from '../../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../../lib/adapters/sqlite/decision-lookup.ts'
import { startDenialQueue } from '../../../lib/adapters/sqlite/denials.ts'
import { createGrantStore } from '../../../lib/adapters/sqlite/grant-store.ts'
import { createLogRetention } from '../../../lib/adapters/sqlite/log-retention.ts'
import { createSigningKeyStore } from '../../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantConfigStore } from '../../../lib/adapters/sqlite/tenant-config-store.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import type { OcsfEvent } from '../../../lib/domain/ocsf/event.ts'
import { proveEvent } from '../../../lib/flows/audit/prove-event.ts'
import { AUDIT_READER, type PumpPorts, pumpFeed } from '../../../lib/flows/audit/pump-feed.ts'
import { recordsWithoutLeaf } from '../../../lib/flows/audit/reconcile-log.ts'
import { CHANGE_TOPICS } from '../../../lib/ports/change-feed.ts'
import { open, temporaryDirectory } from '../../adapters/sqlite/temporary-database.ts'
import {
  NOW_SECONDS,
  sampleConfig,
  sampleDenial,
  sampleKey,
  sampleNotIssued,
  samplePut,
} from '../../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../../support/tree-log.ts'

const setUp = () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  const audit = openAudit(dataDir)
  const decisions = createDecisionLookup(database)
  const { store, log } = treeLogOver(audit, async (tenant, id) => {
    const found = await decisions.find(id, tenant)
    return found?.kind === 'allow' ? found.record : null
  })
  const quarantined: string[] = []
  const alarms: string[] = []
  const ports = {
    feed: createChangeFeed(database),
    log,
    quarantine: { put: async (_, reason) => void quarantined.push(reason) },
    alarm: (kind) => void alarms.push(kind),
    clock: { nowSeconds: () => NOW_SECONDS },
  } satisfies PumpPorts
  const events = async (tenant = 'acme') =>
    (await store.leaves(tenant, 0, 100_000)).map(({ canonical }) => JSON.parse(canonical) as OcsfEvent)
  const retention = createLogRetention(audit)
  return { dataDir, database, audit, store, retention, ports, events, quarantined, alarms }
}
const drain = async (ports: PumpPorts) => {
  while (await pumpFeed(ports));
}
const putMany = async (database: Database, count: number) => {
  const puts = Array.from({ length: count }, () => samplePut(randomUUID()))
  await Promise.all(puts.map((put) => createGrantStore(database).put(put)))
  return puts
}

test('an outcome comes behind its record, however far the log is behind', async () => {
  const { database, ports, events } = setUp()
  const puts = await putMany(database, 2_500)
  await createGrantStore(database).putNotIssued(sampleNotIssued(puts.at(-1)!))
  await drain(ports)
  const codes = (await events()).map((event) => event['status_code'])
  expect(codes.filter((code) => code === 'granted')).toHaveLength(2_500)
  expect(codes.at(-1)).toBe('not_issued')
  expect((await events()).at(-1)!['user']).toMatchObject({ uid: puts.at(-1)!.record.credential.sub })
})

test('of records as long as they get no more is held at once than a thread has room for, and an outcome comes behind its record', async () => {
  const { database, ports, events } = setUp()
  const wid = { 'run.id': 'x'.repeat(60_000) }
  const puts = Array.from({ length: 160 }, () => {
    const put = samplePut(randomUUID())
    return { ...put, record: { ...put.record, wid: { ...put.record.wid, ...wid } } }
  })
  await Promise.all(puts.map((put) => createGrantStore(database).put(put)))
  await createGrantStore(database).putNotIssued(sampleNotIssued(puts.at(-1)!))
  let held = 0
  const feed: PumpPorts['feed'] = {
    ...ports.feed,
    async read(...asked) {
      const changes = await ports.feed.read(...asked)
      held += changes.reduce((sum, { length }) => sum + length, 0)
      return changes
    },
  }
  let rounds = 0
  for (let isMore = true; isMore; rounds += 1) {
    held = 0
    isMore = await pumpFeed({ ...ports, feed })
    expect(held).toBeLessThan(LIMITS.feedLengthPerRound + LIMITS.feedRowsPerRead * 65_536)
  }
  expect(rounds).toBeGreaterThan(2)
  const codes = (await events()).map((event) => event['status_code'])
  expect(codes.filter((code) => code === 'granted')).toHaveLength(puts.length)
  expect(codes.at(-1)).toBe('not_issued')
})

test('a crash after appending brings everything again, and the log has it once', async () => {
  const { database, ports, events } = setUp()
  const puts = await putMany(database, 50)
  const crash = () => {
    throw new Error('killed here')
  }
  await expect(pumpFeed({ ...ports, failpoint: crash })).rejects.toThrow('killed here')
  await expect(pumpFeed({ ...ports, failpoint: crash })).rejects.toThrow('killed here')
  await drain(ports)
  const granted = (await events()).filter((event) => event['status_code'] === 'granted')
  expect(granted.map(({ metadata }) => metadata.uid)).toEqual(puts.map(({ record }) => record.decisionId))
})

test('a row of a later version is put aside with an alarm, and what is behind it comes', async () => {
  const { database, ports, events, quarantined, alarms } = setUp()
  await putMany(database, 3)
  await database.write((sql) =>
    sql(`INSERT INTO grant_record (guard, decision, tenant, at, exp, keep_until, body)
      VALUES (zeroblob(16), zeroblob(16), 'acme', 1, 1, 1, '{"v":2}')`).run(),
  )
  // One that can be read, of a kind there is no event for.
  const unknown = sampleDenial({ refusal: { kind: 'of_a_later_version' as never } })
  const denials = startDenialQueue(database, { rollUps: false })
  denials.send(unknown)
  denials.send(sampleDenial())
  await denials.close()
  const [last] = await putMany(database, 1)
  await drain(ports)
  expect((await events()).some(({ metadata }) => metadata.uid === last!.record.decisionId)).toBe(true)
  expect((await events()).filter((event) => event.class_uid === 6003)).toHaveLength(1)
  expect(quarantined).toEqual(['not_a_row_of_ours', 'not_an_event'])
  expect(alarms).toEqual(['record_unreadable', 'record_unreadable'])
})

test('a log that cannot be read holds the feed up: nothing is put aside for what is not its fault', async () => {
  const { database, audit, ports, quarantined } = setUp()
  await putMany(database, 3)
  await drain(ports)
  await audit.write((sql) => sql('DELETE FROM log_tile').run())
  await putMany(database, 1)
  await expect(pumpFeed(ports)).rejects.toThrow('a tile is too short')
  expect(quarantined).toEqual([])
  expect(await ports.feed.acknowledged('audit', 'grant')).toBe(3)
})

test('counts of denials add up, also when more of a minute comes in after it was told', async () => {
  const { database, ports, events } = setUp()
  const send = async (count: number, tenant = 'acme') => {
    const denials = startDenialQueue(database, { rollUps: true })
    for (let at = 0; at < count; at += 1) denials.send(sampleDenial({ tenant, atSeconds: NOW_SECONDS - 120 }))
    await denials.close()
  }
  await send(100)
  await send(7, '')
  await drain(ports)
  await drain(ports)
  await send(45)
  await drain(ports)
  const full = (await events()).filter((event) => event.class_uid === 6003 && event['count'] === undefined)
  const parts = (await events()).filter((event) => event['count'] !== undefined)
  expect(full).toHaveLength(40)
  expect(parts.map((event) => event['count'])).toEqual([80, 25])
  expect(new Set(parts.map(({ metadata }) => metadata.uid)).size).toBe(2)
})

test('a minute that is not over yet is not counted', async () => {
  const { database, ports, events } = setUp()
  const denials = startDenialQueue(database, { rollUps: true })
  for (let at = 0; at < 30; at += 1) denials.send(sampleDenial({ atSeconds: NOW_SECONDS }))
  await denials.close()
  await drain(ports)
  expect((await events()).filter((event) => event['count'] !== undefined)).toEqual([])
  await drain({ ...ports, clock: { nowSeconds: () => NOW_SECONDS + 120 } })
  expect((await events()).map((event) => event['count']).filter(Boolean)).toEqual([10])
})

test('the proof of a denial that was only counted is that of its count, once its minute was told', async () => {
  const { database, ports, store } = setUp()
  const denials = startDenialQueue(database, { rollUps: true })
  const sent = Array.from({ length: 30 }, () => sampleDenial({ atSeconds: NOW_SECONDS }))
  for (const denial of sent) denials.send(denial)
  await denials.close()
  const counted = sent.at(-1)!.decisionId
  const prove = async (id: string, tenant = 'acme') => {
    const size = (await store.about(tenant))?.size ?? 0
    const log = { ...store, checkpoint: async () => ({ size, note: 'a note' }) }
    const decisions = createDecisionLookup(database)
    const proven = await proveEvent({ log, sha256: nodeSha256, verifierKeys: async () => [], decisions }, tenant, id)
    return proven.ok ? { ...(proven.receipt.event as OcsfEvent), isCounted: proven.isCounted } : proven.refusal
  }
  await drain(ports)
  expect(await prove(counted)).toBe('not_covered')
  await drain({ ...ports, clock: { nowSeconds: () => NOW_SECONDS + 120 } })
  expect(await prove(counted)).toMatchObject({ isCounted: true, count: 10, status_code: sent[0]!.refusal.kind })
  expect(await prove(sent[0]!.decisionId)).toMatchObject({ isCounted: false, metadata: { uid: sent[0]!.decisionId } })
  expect(await prove(counted, 'globex')).toBe('no_event')
  expect(await prove(randomUUID())).toBe('no_event')
})

test('whoever writes a key, a document or a tombstone, it is told', async () => {
  const { database, ports, events } = setUp()
  const keys = createSigningKeyStore(database)
  await keys.insert(sampleKey())
  await keys.prove('acme', 'kid-1', NOW_SECONDS)
  await keys.move('acme', 'kid-1', 'prepared', 'active', NOW_SECONDS)
  await keys.move('acme', 'kid-1', 'prepared', 'active', NOW_SECONDS)
  await keys.move('acme', 'kid-1', 'active', 'tainted', NOW_SECONDS)
  const configs = createTenantConfigStore(database)
  await configs.put(sampleConfig({ diff: '+ grants.x\n- grants.y' }))
  await configs.tombstone('acme', NOW_SECONDS, 'someone')
  await drain(ports)
  expect((await events()).map((event) => event['status_code'])).toEqual([
    'key_prepared',
    'key_active',
    'key_tainted',
    'config_applied',
    'tenant_removed',
  ])
  expect((await events())[3]!['comment']).toBe('+ grants.x\n- grants.y')
})

test('what was acknowledged and is not in the log is found, whatever it is, and can be brought', async () => {
  const { database, store, retention, ports, events } = setUp()
  await putMany(database, 3)
  await drain(ports)
  const puts = await putMany(database, 2)
  await createGrantStore(database).putNotIssued(sampleNotIssued(puts[0]!))
  const denials = startDenialQueue(database, { rollUps: false })
  const denial = sampleDenial()
  denials.send(denial)
  denials.send(sampleDenial({ tenant: 'globex' }))
  await denials.close()
  await createSigningKeyStore(database).insert(sampleKey())
  for (const topic of CHANGE_TOPICS) {
    const changes = await ports.feed.read(topic, 0, 1_000)
    await ports.feed.acknowledge(AUDIT_READER, topic, changes.at(-1)!.sequence)
  }
  await drain(ports)
  const missing = await recordsWithoutLeaf({ feed: ports.feed, store, retention }, 'acme')
  expect(missing.map(({ id }) => id)).toEqual([
    ...puts.map(({ record }) => record.decisionId),
    `${puts[0]!.record.decisionId}.not_issued`,
    denial.decisionId,
    'key.kid-1.prepared',
  ])
  await ports.log.append(
    'acme',
    missing.map(({ entry }) => entry),
  )
  expect(await recordsWithoutLeaf({ feed: ports.feed, store, retention }, 'acme')).toEqual([])
  expect((await events()).filter((event) => event['status_code'] === 'granted')).toHaveLength(5)
})

test('records older than what the log no longer keeps are not missing from it, and younger ones are', async () => {
  const { database, store, retention, ports } = setUp()
  await putMany(database, 3)
  await drain(ports)
  const { size } = (await store.about('acme'))!
  await store.putCheckpoint('acme', { size, note: 'a note' }, NOW_SECONDS)
  expect(await retention.expire('acme', NOW_SECONDS + 60, [])).toBe(size)
  const reconcile = () => recordsWithoutLeaf({ feed: ports.feed, store, retention }, 'acme')
  expect(await reconcile()).toEqual([])
  const young = samplePut(randomUUID())
  await createGrantStore(database).put({ ...young, record: { ...young.record, atSeconds: NOW_SECONDS + 60 } })
  for (const topic of CHANGE_TOPICS) {
    const changes = await ports.feed.read(topic, 0, 1_000)
    if (changes.length > 0) await ports.feed.acknowledge(AUDIT_READER, topic, changes.at(-1)!.sequence)
  }
  expect((await reconcile()).map(({ id }) => id)).toEqual([young.record.decisionId])
})
