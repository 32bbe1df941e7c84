// Queues in the embedded store: a message is a row, leased while it is worked on. Promises: what send() resolved is on the
// disk; any number of processes may consume; groups take turns, so a flood of one tenant holds up no other; what is urgent is
// in a lane of its own, which is looked at first; who falls over one message again and again takes no other down with it.
import { backoffMs } from '../../domain/backoff.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Delivery, Quarantine, Queue, QueueSource } from '../../ports/queue.ts'
import type { Sql } from './connection.ts'
import { type Database, undoneAlone } from './database.ts'
import { createGroupCommit } from './group-commit.ts'

const SEND = `INSERT INTO queue_message (queue, tenant, urgent, dedupe, body, sent_at, visible_at)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (queue, dedupe) DO NOTHING`
const ANY = 'SELECT 1 FROM queue_message WHERE queue = ? LIMIT 1'
// The next group after one, by index alone: however many wait, finding the groups costs one step each.
const NEXT_GROUP = 'SELECT min(tenant) AS tenant FROM queue_message WHERE queue = ? AND urgent = ? AND tenant > ?'
// A lease never reaches further than queueLeaseMs: what seems to is of a clock that has gone back since.
const IS_DUE = `(visible_at <= :now OR visible_at > :now + ${LIMITS.queueLeaseMs})`
const DUE = `SELECT seq, tenant, body, attempts FROM queue_message WHERE queue = :queue AND urgent = :lane
  AND tenant = :group AND lost < 2 AND ${IS_DUE} ORDER BY visible_at, seq LIMIT :max`
// Twice who had it never answered: it is what they died of, or was beside that.
const SUSPECT = `SELECT seq, tenant, body, attempts FROM queue_message WHERE queue = :queue AND lost >= 2
  AND ${IS_DUE} ORDER BY urgent DESC, visible_at, seq LIMIT :max`
const LEASE = 'UPDATE queue_message SET attempts = attempts + 1, lost = lost + 1, visible_at = ? WHERE seq = ?'
const DELETE = 'DELETE FROM queue_message WHERE seq = ?'
// The count of attempts is the lease: who took the message again meanwhile has another.
const DONE = 'DELETE FROM queue_message WHERE seq = ? AND attempts = ?'
const AGAIN = 'UPDATE queue_message SET visible_at = ?, lost = 0 WHERE seq = ? AND attempts = ?'
const QUARANTINE = 'INSERT INTO quarantined_message (queue, tenant, body, reason, at) VALUES (?, ?, ?, ?, ?)'

export type SqliteQueue = Queue & QueueSource & Quarantine

const ORDINARY = 0
const URGENT = 1
type Lane = typeof ORDINARY | typeof URGENT
/** Of a batch, at most: the ordinary ones go on, however many are urgent. */
const URGENT_SHARE = 0.75

const RETRY = { baseMs: LIMITS.queueRetryMsBase, maxMs: LIMITS.queueRetryMsMax }

type Row = { readonly seq: number; readonly tenant: string; readonly body: string; readonly attempts: number }

export const createQueue = (database: Database, queue: string, clock: Clock): SqliteQueue => {
  const commits = createGroupCommit(database)
  const quarantine = (sql: Sql, group: string, body: string, reason: string) =>
    sql(QUARANTINE).run(queue, group, body, reason, clock.nowSeconds())

  /** What no attempt could take goes to the quarantine; the rest is leased. */
  const lease = (sql: Sql, { seq, tenant: group, body, attempts }: Row): Delivery[] => {
    if (attempts >= LIMITS.queueReceivesMax) {
      quarantine(sql, group, body, 'too_many_attempts')
      sql(DELETE).run(seq)
      return []
    }
    sql(LEASE).run(clock.nowMs() + LIMITS.queueLeaseMs, seq)
    return [{ id: String(seq), body, group, attempt: attempts + 1 }]
  }

  /** Up to `max` of one lane, the groups in it in turn. */
  const leaseLane = (sql: Sql, lane: Lane, max: number): Delivery[] => {
    const groups = groupsOf(sql, queue, lane)
    const share = Math.max(1, Math.floor(max / Math.max(1, groups.length)))
    const delivered: Delivery[] = []
    for (const group of shuffled(groups)) {
      if (delivered.length >= max) break
      const room = Math.min(share, max - delivered.length)
      const due = sql(DUE).all({ queue, lane, group, now: clock.nowMs(), max: room }) as Row[]
      for (const row of due) delivered.push(...lease(sql, row))
    }
    return delivered
  }

  const leaseBatch = (sql: Sql, max: number): Delivery[] => {
    const urgent = leaseLane(sql, URGENT, Math.ceil(max * URGENT_SHARE))
    return [...urgent, ...leaseLane(sql, ORDINARY, max - urgent.length)]
  }

  /** One, and nothing beside it: a crash then tells which it was, and the good ones among the suspects are carried out. */
  const leaseAlone = (sql: Sql, max: number): Delivery[] => {
    for (const row of sql(SUSPECT).all({ queue, now: clock.nowMs(), max }) as Row[]) {
      const delivered = lease(sql, row)
      if (delivered.length > 0) return delivered
    }
    return []
  }

  // In turn, so that neither waits for the other to run dry. A process that comes back begins with what is not suspect.
  let isBatchNext = true
  const leaseNext = (sql: Sql, max: number): Delivery[] => {
    const [first, second] = isBatchNext ? [leaseBatch, leaseAlone] : [leaseAlone, leaseBatch]
    isBatchNext = !isBatchNext
    const delivered = first(sql, max)
    return delivered.length > 0 ? delivered : second(sql, max)
  }

  return {
    async send(message, { group, dedupe, isUrgent = false }) {
      const nowMs = clock.nowMs()
      const body = JSON.stringify(message)
      const lane = isUrgent ? URGENT : ORDINARY
      // Not looked for after a commit of unknown outcome: who took the message may have settled it since. It is sent again.
      await commits.submit({
        run: (sql) => void sql(SEND).run(queue, group, lane, dedupe, body, nowMs, nowMs),
        readBack: () => null,
      })
    },
    async put({ body, group }, reason) {
      await database.write((sql) => quarantine(sql, group, body, reason))
    },
    async receive(max) {
      // An empty queue is asked ten times a second: that must not cost a transaction.
      if (database.read((sql) => sql(ANY).get(queue)) === undefined) return []
      return commits.submit({
        run: (sql) => undoneAlone(sql, () => leaseNext(sql, max)),
        readBack: () => null,
      })
    },
    settle: (done, again) =>
      commits.submit({
        run: (sql) =>
          undoneAlone(sql, () => {
            for (const { id, attempt } of done) sql(DONE).run(Number(id), attempt)
            for (const { id, attempt } of again)
              sql(AGAIN).run(clock.nowMs() + backoffMs(attempt, RETRY, Math.random()), Number(id), attempt)
          }),
        readBack: () => null,
      }),
  }
}

const groupsOf = (sql: Sql, queue: string, lane: Lane): string[] => {
  const groups: string[] = []
  for (let last = ''; ; ) {
    const next = sql(NEXT_GROUP).get(queue, lane, last)?.['tenant']
    if (typeof next !== 'string') return groups
    groups.push(next)
    last = next
  }
}

/** In another order each time: with more groups than room none is always last. */
const shuffled = (groups: readonly string[]): string[] =>
  groups
    .map((group) => ({ group, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ group }) => group)
