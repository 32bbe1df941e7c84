// Deletes what has been kept long enough, a few rows at a time and never on the way of a request. A marker that is still
// needed is never among it, whatever the pressure: a full disk makes writes fail, it does not make markers go (L7). Neither does a
// clock that jumps ahead: what would go under one that is not trusted is not deleted.
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'

/** By then a clock that was wrong at boot has been set right, and has been seen to jump. */
const FIRST_MS = 10 * 60_000
const SWEEP_MS = 1_000
const BEHIND_MS = 20
const DAY_SECONDS = 24 * 3600

// The last row stays, or its sequence would be given out a second time and readers of the feed would miss the new one.
const FREE = (table: string, topic: string): string => `seq < (SELECT max(seq) FROM ${table})
  AND seq <= coalesce((SELECT min(acknowledged) FROM feed_reader WHERE topic = '${topic}'), seq)`

// Rows lie in the order of commit, so the walk ends at the first row too young to have expired, however many there are.
const GRANTS = `DELETE FROM grant_record WHERE seq IN (
    SELECT seq FROM (SELECT seq, at, keep_until FROM grant_record WHERE seq > ?1 ORDER BY seq LIMIT ?2)
    WHERE at < ?3 AND keep_until < ?4) AND ${FREE('grant_record', 'grant')}`
const LAST_WALKED =
  'SELECT max(seq) AS seq, max(at) AS at FROM (SELECT seq, at FROM grant_record WHERE seq > ?1 ORDER BY seq LIMIT ?2)'
const OLD = (table: string, topic: string): string => `DELETE FROM ${table} WHERE seq IN (
    SELECT seq FROM (SELECT seq, at FROM ${table} ORDER BY seq LIMIT ?1) WHERE at < ?2) AND ${FREE(table, topic)}`
// An outcome stays as long as its record: without it the record would read as an issued credential.
const OUTCOMES = `${OLD('not_issued', 'not_issued')}
  AND NOT EXISTS (SELECT 1 FROM grant_record g WHERE g.decision = not_issued.decision)`
const PROOFS =
  'DELETE FROM proof_guard WHERE hash IN (SELECT hash FROM proof_guard WHERE keep_until < ?2 ORDER BY keep_until LIMIT ?1)'
const EVENTS =
  'DELETE FROM security_event WHERE seq IN (SELECT seq FROM security_event WHERE at < ?2 ORDER BY at LIMIT ?1)'
const ROLLED_UP = `DELETE FROM rolled_up_decision WHERE decision IN (SELECT decision FROM rolled_up_decision ORDER BY decision LIMIT ?1)
  AND roll_up IN (SELECT id FROM denial_roll_up WHERE minute < ?2)`
const ROLL_UPS = `DELETE FROM denial_roll_up WHERE id IN (SELECT id FROM denial_roll_up WHERE minute < ?2 AND count = told LIMIT ?1)
  AND NOT EXISTS (SELECT 1 FROM rolled_up_decision WHERE roll_up = denial_roll_up.id LIMIT 1)`

// AUTOINCREMENT: the last row need not stay.
const CHANGES = `DELETE FROM control_change WHERE seq IN (SELECT seq FROM control_change ORDER BY seq LIMIT ?1) AND at < ?2
  AND seq <= coalesce((SELECT min(acknowledged) FROM feed_reader WHERE topic = 'change'), seq)`

export type Sweep = {
  /** One step; resolves to the number of rows deleted. The timer takes one a second, more while it is behind. Throws Unavailable. */
  readonly step: () => Promise<number>
  readonly close: () => void
}

/** `isClockTrusted`: true remembers the time in the store, so that a clock which goes back behind it stops mint. */
export const startSweep = (database: Database, clock: Clock, isClockTrusted: () => boolean): Sweep => {
  let walkedTo = 0

  const sweepGrants = (sql: Sql, nowSeconds: number): number => {
    const last = sql(LAST_WALKED).get(walkedTo, LIMITS.sweepRowsMax)
    const isAtEnd = last?.['seq'] == null || Number(last['at']) >= nowSeconds - DAY_SECONDS
    const beyondMarker = nowSeconds - (LIMITS.recordKeepSeconds - LIMITS.replayMarkerKeepSeconds)
    const { changes } = sql(GRANTS).run(walkedTo, LIMITS.sweepRowsMax, nowSeconds - DAY_SECONDS, beyondMarker)
    walkedTo = isAtEnd ? 0 : Number(last['seq'])
    return Number(changes)
  }
  const step = (): Promise<number> => {
    const nowSeconds = clock.nowSeconds()
    const max = LIMITS.sweepRowsMax
    return database.write((sql) => {
      const recordsBefore = nowSeconds - LIMITS.recordKeepSeconds - DAY_SECONDS
      const denialsBefore = nowSeconds - LIMITS.denialKeepSeconds
      const minutesBefore = Math.floor(denialsBefore / 60)
      const deleted = [
        sweepGrants(sql, nowSeconds),
        sql(OUTCOMES).run(max, recordsBefore).changes,
        sql(OLD('denial', 'denial')).run(max, denialsBefore).changes,
        sql(CHANGES).run(max, denialsBefore).changes,
        sql(PROOFS).run(max, nowSeconds).changes,
        sql(EVENTS).run(max, nowSeconds - LIMITS.eventKeepSeconds).changes,
        sql(ROLLED_UP).run(max, minutesBefore).changes,
        sql(ROLL_UPS).run(max, minutesBefore).changes,
      ].reduce<number>((sum, changes) => sum + Number(changes), 0)
      // Asked only where something would go: a broker that is idle writes no mark. What is thrown undoes it.
      if (deleted > 0 && !isClockTrusted()) {
        walkedTo = 0
        throw new Unavailable('clock_untrusted')
      }
      return deleted
    })
  }
  let timer: NodeJS.Timeout
  let isClosed = false
  const sleepThenStep = (ms: number): void => {
    if (isClosed) return
    timer = setTimeout(() => {
      step().then(
        (deleted) => sleepThenStep(deleted < LIMITS.sweepRowsMax ? SWEEP_MS : BEHIND_MS),
        () => sleepThenStep(SWEEP_MS),
      )
    }, ms).unref()
  }
  sleepThenStep(FIRST_MS)
  return {
    step,
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}
