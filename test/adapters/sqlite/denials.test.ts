import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Database } from '../../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../../lib/adapters/sqlite/decision-lookup.ts'
import { startDenialQueue } from '../../../lib/adapters/sqlite/denials.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { NOW_SECONDS, sampleDenial } from '../../contract/sample-rows.ts'
import { open, otherConnection, temporaryDirectory } from './temporary-database.ts'

const sums = (database: Database) =>
  database.read((sql) => ({
    full: Number(sql('SELECT count(*) AS n FROM denial').get()?.['n']),
    rolledUp: Number(sql('SELECT coalesce(sum(count), 0) AS n FROM denial_roll_up').get()?.['n']),
    rows: Number(sql('SELECT count(*) AS n FROM denial_roll_up').get()?.['n']),
  }))

test('a denial is durable soon, without anybody asking', async () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  const queue = startDenialQueue(database, { rollUps: true })
  const denial = sampleDenial()
  queue.send(denial)
  const lookup = createDecisionLookup(open(dataDir))
  await expect.poll(() => lookup.find(denial.decisionId, 'acme')).toMatchObject({ kind: 'deny', denial })
  await queue.close()
})

test('who asks is told when what was sent is written, in full or counted', async () => {
  const database = open(temporaryDirectory())
  const queue = startDenialQueue(database, { rollUps: true })
  expect(queue.settled()).toBeNull()
  for (const more of [1, LIMITS.denialsFullPerMinute + 4]) {
    for (let at = 0; at < more; at += 1) queue.send(sampleDenial())
    const settled = queue.settled()
    expect(settled).not.toBeNull()
    await settled
    expect(queue.settled()).toBeNull()
  }
  expect(sums(database)).toMatchObject({ full: LIMITS.denialsFullPerMinute, rolledUp: 5 })
  await queue.close()
})

test('a flood from 5,000 addresses: few rows, and full plus rolled up is exactly what was sent', async () => {
  const database = open(temporaryDirectory())
  const queue = startDenialQueue(database, { rollUps: true })
  for (let at = 0; at < 20_000; at += 1) {
    queue.send(
      sampleDenial({ source: `198.51.${Math.floor(at / 256) % 20}.${at % 256}`, atSeconds: NOW_SECONDS + (at % 120) }),
    )
    if (at === 10_000) await queue.flush()
  }
  await queue.close()
  const { full, rolledUp, rows } = sums(database)
  expect(full + rolledUp).toBe(20_000)
  expect(full).toBeLessThanOrEqual(3 * LIMITS.denialsUnverifiedPerMinute)
  expect(rows).toBeLessThan(3 * LIMITS.rollUpSourcesMax)
})

test('verified denials have a budget of their own: a flood of garbage does not hide them', async () => {
  const database = open(temporaryDirectory())
  const queue = startDenialQueue(database, { rollUps: true })
  for (let at = 0; at < 500; at += 1) queue.send(sampleDenial({ source: `192.0.2.${at % 200}` }))
  const verified = sampleDenial({ verified: true }, 'no_grant_matches' as never)
  queue.send(verified)
  await queue.close()
  expect(await createDecisionLookup(database).find(verified.decisionId, 'acme')).toMatchObject({ kind: 'deny' })
})

test('a workload over its rate from 5,000 addresses: few rows in full, none lost, and none of other denials hidden', async () => {
  const database = open(temporaryDirectory())
  const queue = startDenialQueue(database, { rollUps: true })
  for (let at = 0; at < 10_000; at += 1) {
    const source = `198.51.${Math.floor(at / 256) % 20}.${at % 256}`
    queue.send(sampleDenial({ source, verified: true, refusal: { kind: 'rate_limited_tenant' } }))
  }
  const other = sampleDenial({ verified: true, refusal: { kind: 'no_grant_matches' } as never })
  queue.send(other)
  await queue.close()
  const { full, rolledUp } = sums(database)
  expect(full + rolledUp).toBe(10_001)
  expect(full).toBe(LIMITS.denialsOfRatePerMinute + 1)
  expect(await createDecisionLookup(database).find(other.decisionId, 'acme')).toMatchObject({ kind: 'deny' })
})

test('a flood from as many sources as are counted, while the store is away, hides no credential that was replayed', async () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir, { waitMs: 50 })
  const queue = startDenialQueue(database, { rollUps: true })
  const other = otherConnection(dataDir)
  other.exec('BEGIN IMMEDIATE')
  const flood = LIMITS.denialKeysPerMinuteMax + LIMITS.denialQueueMax
  for (let at = 0; at < flood; at += 1)
    queue.send(
      sampleDenial({ source: `2001:db8:${at.toString(16)}:0::/64`, verified: true }, 'no_grant_matches' as never),
    )
  const first = sampleDenial().decisionId
  const replay = (source: string) =>
    sampleDenial({ source, verified: true, firstDecisionId: first, refusal: { kind: 'replayed', detail: { first } } })
  const one = replay('192.0.2.1')
  queue.send(one)
  queue.send(replay('192.0.2.2'))
  other.exec('COMMIT')
  await queue.close()
  expect(await createDecisionLookup(database).find(one.decisionId, 'acme')).toMatchObject({ kind: 'deny' })
  // The same credential once more is counted, like the flood.
  expect(sums(database).full).toBe(LIMITS.denialQueueMax - LIMITS.denialQueueForReplays + 1)
})

test('a decision beyond those listed one by one is answered with its minute and the count of such', async () => {
  const database = open(temporaryDirectory())
  const queue = startDenialQueue(database, { rollUps: true })
  const total = LIMITS.denialsFullPerMinute + LIMITS.rolledUpIdsPerMinuteMax + 7
  const hex = (NOW_SECONDS * 1000).toString(16).padStart(12, '0')
  const ids = Array.from({ length: total }, () => `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`)
  for (const decisionId of ids) queue.send(sampleDenial({ decisionId }))
  await queue.close()
  const lookup = createDecisionLookup(database)
  expect(await lookup.find(ids.at(-1)!, 'acme')).toEqual({
    kind: 'rolled_up',
    rollUp: { tenant: 'acme', minute: Math.floor(NOW_SECONDS / 60), kind: '*', source: '*', count: 7 },
  })
  expect(await lookup.find(ids.at(-1)!, 'globex')).toBeNull()
  expect(await lookup.find(ids.at(-8)!, 'acme')).toMatchObject({ rollUp: { kind: 'token_not_compact' } })
})

test('while the store is locked denials wait or are counted, none is lost, and none is counted twice', async () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir, { waitMs: 50 })
  const queue = startDenialQueue(database, { rollUps: true })
  const other = otherConnection(dataDir)
  other.exec('BEGIN IMMEDIATE')
  for (let at = 0; at < 300; at += 1) queue.send(sampleDenial())
  // A refusal is not for ever held up by a store that does not take it.
  await queue.settled()
  await expect(queue.flush()).rejects.toMatchObject({ kind: 'store_unavailable' })
  for (let at = 0; at < 300; at += 1) queue.send(sampleDenial())
  other.exec('ROLLBACK')
  await queue.flush()
  expect(sums(database)).toMatchObject({
    full: LIMITS.denialsFullPerMinute,
    rolledUp: 600 - LIMITS.denialsFullPerMinute,
  })
  expect(await queue.close()).toBe(0)
})

test('--limits off: every denial in full', async () => {
  const database = open(temporaryDirectory())
  const queue = startDenialQueue(database, { rollUps: false })
  for (let at = 0; at < 500; at += 1) queue.send(sampleDenial())
  await queue.close()
  expect(sums(database)).toMatchObject({ full: 500, rolledUp: 0 })
})

test('a denial too big to keep whole is kept short, and its neighbours are kept', async () => {
  const database = open(temporaryDirectory())
  const queue = startDenialQueue(database, { rollUps: true })
  const big = sampleDenial({ wid: { 'project.path': 'x'.repeat(70_000) } })
  const neighbour = sampleDenial()
  queue.send(big)
  queue.send(neighbour)
  await queue.close()
  const lookup = createDecisionLookup(database)
  expect(await lookup.find(big.decisionId, 'acme')).toMatchObject({
    denial: { wid: null, refusal: { kind: 'token_not_compact' } },
  })
  expect(await lookup.find(neighbour.decisionId, 'acme')).toMatchObject({ kind: 'deny', denial: neighbour })
})

test('a denial that was lost would leave a gap in the numbers that no count explains', async () => {
  const database = open(temporaryDirectory())
  const queue = startDenialQueue(database, { rollUps: true })
  const first = sampleDenial()
  queue.send(first)
  for (let at = 0; at < 30; at += 1) queue.send(sampleDenial({ source: '198.51.100.1' }))
  queue.send(sampleDenial({ tenant: 'globex' }))
  const last = sampleDenial({ source: '203.0.113.9', verified: true })
  queue.send(last)
  await queue.close()
  const stored = database.read((sql) => sql("SELECT body FROM denial WHERE tenant = 'acme' ORDER BY seq").all())
  const numbers = stored.map((row) => (JSON.parse(String(row['body'])) as typeof first).counted!.number)
  const counted = database.read((sql) => sql("SELECT sum(count) AS n FROM denial_roll_up WHERE tenant = 'acme'").get())
  expect(numbers).toEqual([...Array.from({ length: 21 }, (_, at) => at + 1), 32])
  expect(32 - numbers.length).toBe(counted?.['n'])
  // Of each tenant its own: how much another one is refused is not to be read from them.
  const other = database.read((sql) => sql("SELECT body FROM denial WHERE tenant = 'globex'").get())
  expect(JSON.parse(String(other?.['body']))).toMatchObject({ counted: { number: 1 } })
})
