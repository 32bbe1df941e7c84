// What the embedded store says of work that waits: the feed, queues, quarantine, keys, revocations and their receivers; and of the logs: what is
// signed and what sinks have taken. Reads only, a few milliseconds; throws Unavailable as every read does.
import { LIMITS } from '../../domain/limits.ts'
import { type Reading, reading } from '../../domain/reading.ts'
import { REVOCATION_KINDS } from '../../domain/revocation.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { receiverStates } from './receivers.ts'

const TOPICS = { grant: 'grant_record', not_issued: 'not_issued', denial: 'denial', change: 'control_change' } as const
const QUEUES = ['revoke', 'audit'] as const
const USES = ['token', 'signal', 'log'] as const

const ACKNOWLEDGED = "SELECT acknowledged FROM feed_reader WHERE reader = 'audit' AND topic = ?"
const WAITING = (table: string): string =>
  `SELECT (SELECT max(seq) FROM ${table}) - ?1 AS backlog,
    (SELECT at FROM ${table} WHERE seq > ?1 ORDER BY seq LIMIT 1) AS oldest`
const QUEUED = 'SELECT count(*) AS messages, min(sent_at) AS oldest FROM queue_message WHERE queue = ?'
const QUARANTINED = 'SELECT count(*) AS messages FROM quarantined_message WHERE queue = ?'
// A key of a log does not rotate by age.
const ACTIVE = `SELECT max(?1 - activated_at) AS age,
    count(*) FILTER (WHERE use <> 'log' AND activated_at < ?2) AS overdue
  FROM (SELECT use, max(activated_at) AS activated_at FROM signing_key
    WHERE state = 'active' AND use = ?3 AND tenant NOT IN (SELECT tenant FROM tenant_tombstone) GROUP BY tenant, alg)`
const IN_FORCE = 'SELECT kind, count(*) AS revocations FROM revocation WHERE lifted_at IS NULL GROUP BY kind'
const LOGS = 'SELECT coalesce(sum(size), 0) AS leaves, coalesce(sum(size - checkpoint_size), 0) AS unsigned FROM log'
const SINKS = `SELECT s.tenant, s.sink, l.size - s.leaf AS backlog,
    (SELECT at FROM log_leaf f WHERE f.tenant = s.tenant AND f.leaf = s.leaf) AS oldest
  FROM log_sink s JOIN log l ON l.tenant = s.tenant ORDER BY s.tenant, s.sink`

/** Not less than none: the clock may have gone back. */
const ageOf = (oldest: unknown, nowSeconds: number): number =>
  oldest === null || oldest === undefined ? 0 : Math.max(0, nowSeconds - Number(oldest))

export const readStoreState = (database: Database, nowSeconds: number): Reading[] =>
  database.read((sql) => [
    ...Object.entries(TOPICS).flatMap(([topic, table]) => {
      const acknowledged = Number(sql(ACKNOWLEDGED).get(topic)?.['acknowledged'] ?? 0)
      const row = sql(WAITING(table)).get(acknowledged)
      return [
        reading('feedBacklog', Math.max(0, Number(row?.['backlog'] ?? 0)), topic),
        reading('feedLag', ageOf(row?.['oldest'], nowSeconds), topic),
      ]
    }),
    ...QUEUES.flatMap((queue) => {
      const row = sql(QUEUED).get(queue)
      const oldest = row?.['oldest'] ?? null
      return [
        reading('queueMessages', Number(row?.['messages']), queue),
        reading('queueAge', ageOf(oldest === null ? null : Number(oldest) / 1000, nowSeconds), queue),
        reading('deadLetters', Number(sql(QUARANTINED).get(queue)?.['messages']), queue),
      ]
    }),
    ...USES.flatMap((use) => {
      const dueBefore = nowSeconds - LIMITS.keyRotationSeconds - LIMITS.keyOverdueSeconds
      const row = sql(ACTIVE).get(nowSeconds, dueBefore, use)
      return [
        reading('keyAge', Math.max(0, Number(row?.['age'] ?? 0)), use),
        reading('keysOverdue', Number(row?.['overdue'] ?? 0), use),
      ]
    }),
    ...revocationReadings(sql),
    ...receiverReadings(sql, nowSeconds),
  ])

/** Rows of receivers come and go with the documents that name them. */
const receiverReadings = (sql: Sql, nowSeconds: number): Reading[] =>
  receiverStates(sql, null)
    .slice(0, LIMITS.metricSeriesMax)
    .flatMap(({ tenant, name, pending, oldestAtSeconds }) => [
      reading('receiverBacklog', pending, tenant, name),
      reading('receiverLag', ageOf(oldestAtSeconds, nowSeconds), tenant, name),
    ])

const revocationReadings = (sql: Sql): Reading[] => {
  const inForce = new Map(
    sql(IN_FORCE)
      .all()
      .map((row) => [String(row['kind']), Number(row['revocations'])]),
  )
  return Object.keys(REVOCATION_KINDS).map((kind) => reading('revocations', inForce.get(kind) ?? 0, kind))
}

/** `isSink`: whether the current document names it; a cursor of one that is gone waits for nobody. */
export const readLogState = (
  audit: Database,
  nowSeconds: number,
  isSink: (tenant: string, sink: string) => boolean,
): Reading[] =>
  audit.read((sql) => {
    const logs = sql(LOGS).get()
    const sinks = sql(SINKS)
      .all()
      .filter(({ tenant, sink }) => isSink(String(tenant), String(sink)))
      .slice(0, LIMITS.metricSeriesMax)
    return [
      reading('logLeaves', Number(logs?.['leaves'])),
      reading('logUnsigned', Number(logs?.['unsigned'])),
      ...sinks.flatMap(({ tenant, sink, backlog, oldest }) => [
        reading('sinkBacklog', Math.max(0, Number(backlog)), String(tenant), String(sink)),
        reading('sinkLag', Number(backlog) > 0 ? ageOf(oldest, nowSeconds) : 0, String(tenant), String(sink)),
      ]),
    ]
  })
