// Queues in the embedded store, where more than one process or tenant is at them.
import { describe, expect, test } from 'vitest'
import { createGrantStore } from '../../../lib/adapters/sqlite/grant-store.ts'
import { createQueue } from '../../../lib/adapters/sqlite/queue.ts'
import { createRecentRecords } from '../../../lib/adapters/sqlite/recent-records.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import type { Clock } from '../../../lib/ports/clock.ts'
import { NOW_SECONDS, samplePut } from '../../contract/sample-rows.ts'
import { open, otherConnection, temporaryDirectory } from './temporary-database.ts'

const clockAt = (nowMs: number): Clock & { nowMs: () => number; set: (ms: number) => void } => {
  let current = nowMs
  return {
    nowMs: () => current,
    nowSeconds: () => Math.floor(current / 1000),
    monotonicMs: () => current,
    set: (ms) => {
      current = ms
    },
  }
}
const START = NOW_SECONDS * 1000

test('two processes: no message is with both, and together they have all', async () => {
  const dataDir = temporaryDirectory()
  const clock = clockAt(START)
  const [one, two] = [createQueue(open(dataDir), 'revoke', clock), createQueue(open(dataDir), 'revoke', clock)]
  for (let at = 0; at < 40; at += 1) await one.send({ at }, { group: 'acme', dedupe: String(at) })
  const batches = await Promise.all([one.receive(15), two.receive(15), one.receive(15), two.receive(15)])
  const ids = batches.flat().map(({ id }) => id)
  expect([ids.length, new Set(ids).size]).toEqual([40, 40])
})

test('a consumer that dies: its messages come again when the lease ends, and its late answer changes nothing', async () => {
  const clock = clockAt(START)
  const queue = createQueue(open(temporaryDirectory()), 'revoke', clock)
  await queue.send({}, { group: 'acme', dedupe: 'a' })
  const [lost] = await queue.receive(1)
  clock.set(START + LIMITS.queueLeaseMs - 1)
  expect(await queue.receive(1)).toEqual([])
  clock.set(START + LIMITS.queueLeaseMs)
  const [again] = await queue.receive(1)
  expect(again).toMatchObject({ id: lost!.id, attempt: 2 })
  await queue.settle([lost!], [])
  clock.set(START + 2 * LIMITS.queueLeaseMs)
  expect(await queue.receive(1)).toHaveLength(1)
})

test('one message that kills its consumer is the only one that is not carried out, whatever was leased beside it', async () => {
  const clock = clockAt(START)
  const database = open(temporaryDirectory())
  const sender = createQueue(database, 'revoke', clock)
  for (let at = 0; at < 40; at += 1)
    await sender.send({ at }, { group: at % 2 === 0 ? 'acme' : 'globex', dedupe: String(at), isUrgent: at % 3 === 0 })
  const [carriedOut, alone] = [new Set<number>(), new Set<number>()]
  const isPoison = (body: string) => body === '{"at":7}'
  /** Until it dies of the one, or nothing is due. */
  const consume = async () => {
    const queue = createQueue(database, 'revoke', clock)
    for (let batch = await queue.receive(64); batch.length > 0; batch = await queue.receive(64)) {
      if (batch.some(({ attempt }) => attempt > 2)) alone.add(batch.length)
      if (batch.some(({ body }) => isPoison(body))) return
      for (const { body } of batch) carriedOut.add((JSON.parse(body) as { at: number }).at)
      await queue.settle(batch, [])
    }
  }
  for (let life = 0; life <= LIMITS.queueReceivesMax; life += 1) {
    await consume()
    clock.set(clock.nowMs() + LIMITS.queueLeaseMs)
  }
  expect([carriedOut.size, carriedOut.has(7), [...alone]]).toEqual([39, false, [1]])
  const quarantined = database.read((sql) => sql('SELECT body, reason FROM quarantined_message').all())
  expect(quarantined).toEqual([{ body: '{"at":7}', reason: 'too_many_attempts' }])
})

test('suspects do not hold up what is new, nor are what was put back suspects', async () => {
  const clock = clockAt(START)
  const queue = createQueue(open(temporaryDirectory()), 'revoke', clock)
  for (let at = 0; at < 3; at += 1) await queue.send({ at }, { group: 'acme', dedupe: `lost ${at}` })
  for (let time = 0; time < 2; time += 1) {
    await queue.receive(9)
    clock.set(clock.nowMs() + LIMITS.queueLeaseMs)
  }
  for (let at = 0; at < 3; at += 1) await queue.send({ at }, { group: 'acme', dedupe: `new ${at}` })
  const sizes = [(await queue.receive(9)).length, (await queue.receive(9)).length].sort()
  expect(sizes).toEqual([1, 3])
  const other = createQueue(open(temporaryDirectory()), 'revoke', clock)
  for (let at = 0; at < 3; at += 1) await other.send({ at }, { group: 'acme', dedupe: `again ${at}` })
  for (let time = 0; time < 4; time += 1) {
    const batch = await other.receive(9)
    expect(batch).toHaveLength(3)
    await other.settle([], batch)
    clock.set(clock.nowMs() + LIMITS.queueRetryMsMax)
  }
})

test('a clock that goes back an hour does not hide what was leased or put back before', async () => {
  const clock = clockAt(START)
  const queue = createQueue(open(temporaryDirectory()), 'revoke', clock)
  await queue.send({}, { group: 'acme', dedupe: 'a' })
  await queue.receive(1)
  clock.set(START - 3_600_000)
  expect(await queue.receive(1)).toHaveLength(1)
})

test('a flood of one tenant: one message of another is in the very next batch', async () => {
  const database = open(temporaryDirectory())
  const queue = createQueue(database, 'revoke', clockAt(START))
  await database.write((sql) => {
    for (let at = 0; at < 5_000; at += 1)
      sql('INSERT INTO queue_message (queue, tenant, dedupe, body, sent_at, visible_at) VALUES (?, ?, ?, ?, ?, ?)').run(
        'revoke',
        'acme',
        `flood-${at}`,
        '{}',
        START - 1,
        START - 1,
      )
  })
  await queue.send({}, { group: 'globex', dedupe: 'urgent' })
  const batch = await queue.receive(LIMITS.queueBatchMax)
  expect(batch.filter(({ group }) => group === 'globex')).toHaveLength(1)
})

test('queues in one store are apart', async () => {
  const database = open(temporaryDirectory())
  const clock = clockAt(START)
  await createQueue(database, 'revoke', clock).send({}, { group: 'acme', dedupe: 'a' })
  expect(await createQueue(database, 'denials', clock).receive(9)).toEqual([])
})

test('while another process holds the lock, sending is Unavailable, not a message less', async () => {
  const dataDir = temporaryDirectory()
  const queue = createQueue(open(dataDir, { waitMs: 50 }), 'revoke', clockAt(START))
  const other = otherConnection(dataDir)
  other.exec('BEGIN IMMEDIATE')
  await expect(queue.send({}, { group: 'acme', dedupe: 'a' })).rejects.toMatchObject({ kind: 'store_unavailable' })
  other.exec('ROLLBACK')
})

test('records are walked from the newest back over every page, those of others passed by, to the time asked', async () => {
  const database = open(temporaryDirectory())
  const grants = createGrantStore(database)
  await Promise.all(
    Array.from({ length: 1_200 }, (_, at) =>
      grants.put(samplePut(`g${at}`, {}, { tenant: at % 4 === 0 ? 'acme' : 'globex', atSeconds: NOW_SECONDS + at })),
    ),
  )
  const seen: number[] = []
  for await (const { record } of createRecentRecords(database).since('acme', NOW_SECONDS + 40))
    seen.push(record.atSeconds - NOW_SECONDS)
  expect(seen).toEqual(Array.from({ length: 290 }, (_, at) => 1_196 - at * 4))
})

describe('an urgent message', () => {
  /** Waits like a message that was sent, without a commit of its own for each. */
  const STORM = `INSERT INTO queue_message (queue, tenant, urgent, dedupe, body, sent_at, visible_at)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    SELECT 'revoke', ?, ?, ? || i, '{}', 0, 0 FROM n`
  const openStormed = async (storms: readonly (readonly [tenant: string, count: number, lane: 0 | 1])[]) => {
    const database = open(temporaryDirectory())
    await database.write((sql) => {
      for (const [tenant, count, lane] of storms) sql(STORM).run(count, tenant, lane, `${tenant}-${lane}-`)
    })
    return { database, queue: createQueue(database, 'revoke', clockAt(START)) }
  }
  const urgentOf = (group: string) => ({ group, dedupe: 'urgent', isUrgent: true })

  test('does not wait behind a hundred thousand of its own tenant: it is in the very next batch, before them', async () => {
    const { queue } = await openStormed([['acme', 100_000, 0]])
    await queue.send({ urgent: true }, urgentOf('acme'))
    const batch = await queue.receive(LIMITS.queueBatchMax)
    expect(batch).toHaveLength(LIMITS.queueBatchMax)
    expect(batch[0]?.body).toBe('{"urgent":true}')
  })

  test('does not wait for its turn among more tenants than a batch has room for', async () => {
    const tenants = Array.from({ length: 300 }, (_, at) => [`tenant${at}`, 10, 0] as const)
    const { queue } = await openStormed(tenants)
    await queue.send({ urgent: true }, urgentOf('tenant7'))
    expect((await queue.receive(LIMITS.queueBatchMax))[0]?.body).toBe('{"urgent":true}')
  })

  test('of one tenant is in the next batch, also when another floods the urgent lane', async () => {
    const { queue } = await openStormed([['globex', 5_000, 1]])
    await queue.send({ urgent: true }, urgentOf('acme'))
    const batch = await queue.receive(LIMITS.queueBatchMax)
    expect(batch.map(({ body }) => body)).toContain('{"urgent":true}')
  })

  test('never takes the whole batch: a flood of urgent ones leaves the others a quarter', async () => {
    const { queue } = await openStormed([
      ['acme', 5_000, 1],
      ['globex', 5_000, 0],
    ])
    const groups = (await queue.receive(64)).map(({ group }) => group)
    expect(groups.filter((group) => group === 'globex')).toHaveLength(16)
  })

  test('is found by index: no batch costs more because many wait', async () => {
    const { database } = await openStormed([['acme', 10, 0]])
    const plan = (text: string) =>
      database.read((sql) => sql(`EXPLAIN QUERY PLAN ${text}`).all()).map((row) => row['detail'])
    const lane = 'SEARCH queue_message USING INDEX queue_message_lane (queue=? AND urgent=? AND tenant=?)'
    expect(
      plan(
        "SELECT seq, body FROM queue_message WHERE queue = 'revoke' AND urgent = 1 AND tenant = 'acme' ORDER BY visible_at, seq LIMIT 9",
      ),
    ).toEqual([lane])
  })
})
