// Which messages of a queue are worked on next: groups take turns, what is urgent is looked at first, and a message that two who had
// it never answered for is leased alone. Runs inside the transaction of whoever asks.
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Delivery } from '../../ports/queue.ts'
import type { Sql } from './connection.ts'

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
const QUARANTINE = 'INSERT INTO quarantined_message (queue, tenant, body, reason, at) VALUES (?, ?, ?, ?, ?)'

export const ORDINARY = 0
export const URGENT = 1
type Lane = typeof ORDINARY | typeof URGENT
/** Of a batch, at most: the ordinary ones go on, however many are urgent. */
const URGENT_SHARE = 0.75

type Row = { readonly seq: number; readonly tenant: string; readonly body: string; readonly attempts: number }

export type QueueLeases = {
  /** Leases up to `max` messages. */
  readonly leaseNext: (sql: Sql, max: number) => Delivery[]
  readonly quarantine: (sql: Sql, message: { readonly group: string; readonly body: string }, reason: string) => void
}

export const createQueueLeases = (queue: string, clock: Clock): QueueLeases => {
  const quarantine: QueueLeases['quarantine'] = (sql, { group, body }, reason) =>
    void sql(QUARANTINE).run(queue, group, body, reason, clock.nowSeconds())

  /** What no attempt could take goes to the quarantine; the rest is leased. */
  const lease = (sql: Sql, { seq, tenant: group, body, attempts }: Row): Delivery[] => {
    if (attempts >= LIMITS.queueReceivesMax) {
      quarantine(sql, { group, body }, 'too_many_attempts')
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
  return {
    quarantine,
    leaseNext(sql, max) {
      const [first, second] = isBatchNext ? [leaseBatch, leaseAlone] : [leaseAlone, leaseBatch]
      isBatchNext = !isBatchNext
      const delivered = first(sql, max)
      return delivered.length > 0 ? delivered : second(sql, max)
    },
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
