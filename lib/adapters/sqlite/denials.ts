// Denials: taken at once, written in rounds and in transactions of their own, a few at a time, so that a flood of them never holds up
// an allow. What exceeds the budget, or the queue while the store is away, is counted and not dropped.
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isWithinBudget, newDenialCounters } from '../../domain/denial-budget.ts'
import { numberedDenials } from '../../domain/denial-numbers.ts'
import {
  addToRollUp,
  type GatheredRollUp,
  newRollUps,
  returnRollUps,
  takeRollUps,
} from '../../domain/denial-roll-up.ts'
import { type Denial, shortDenial } from '../../domain/grant-record.ts'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { DenialQueue } from '../../ports/decisions.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { failureOf } from './sqlite-error.ts'
import { ownDecisionBytes } from './stored-rows.ts'
import { startWriteRounds } from './write-rounds.ts'

const INSERT = 'INSERT INTO denial (decision, tenant, at, body) VALUES (?, ?, ?, ?) ON CONFLICT (decision) DO NOTHING'
const COUNT = `INSERT INTO denial_roll_up (minute, tenant, kind, source, count, unlisted) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (minute, tenant, kind, source)
  DO UPDATE SET count = count + excluded.count, unlisted = unlisted + excluded.unlisted RETURNING id`
const LIST = 'INSERT INTO rolled_up_decision (decision, roll_up) VALUES (?, ?) ON CONFLICT DO NOTHING'
const ROWS_PER_COMMIT = 64

export type RunningDenialQueue = DenialQueue & {
  /** Resolves when what was sent before is durable, or the store does not take it now: then it waits here. Null: all of it is. */
  readonly settled: () => Promise<void> | null
  /** Writes what is waiting. Throws Unavailable; what was not written stays. */
  readonly flush: () => Promise<void>
  /** Flushes for the last time. What the store will not take then is lost, and counted in the result. */
  readonly close: () => Promise<number>
}

/** `rollUps: false` (serve --limits off): each one in full, as far as the queue goes. */
export const startDenialQueue = (
  database: Database,
  { rollUps: isBudgeted }: { readonly rollUps: boolean },
): RunningDenialQueue => {
  const counters = newDenialCounters()
  const numbered = numberedDenials(randomUUID())
  const waiting = createWaiting(database)
  const rounds = startWriteRounds(waiting.write)
  return {
    send(sent) {
      const denial = numbered(sent)
      ownDecisionBytes(denial.decisionId) // throws here, where the bug is, and not in every flush from now on
      const length = waiting.inFull()
      const isFull = isBudgeted ? isWithinBudget(counters, denial, length) : length < LIMITS.denialQueueMax
      if (isFull) waiting.add(denial)
      else waiting.count(denial)
      rounds.ask()
    },
    settled: rounds.settled,
    flush: rounds.now,
    async close() {
      rounds.stop()
      try {
        await rounds.now()
        return 0
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        return waiting.drop()
      }
    },
  }
}

/** What is not written yet, in full or counted. What a write that failed had taken is waiting again. */
const createWaiting = (database: Database) => {
  const rollUps = newRollUps()
  let queue: Denial[] = []

  const writeInFull = async (): Promise<void> => {
    // What comes meanwhile is of the next round, or a flood would make one without an end.
    for (let left = queue.length; left > 0; left -= ROWS_PER_COMMIT) {
      const some = queue.slice(0, Math.min(left, ROWS_PER_COMMIT))
      await database.write((sql) => {
        for (const denial of some) insertAlone(sql, denial)
      })
      queue = queue.slice(some.length)
      await nextTurn()
    }
  }
  const writeCounts = async (): Promise<void> => {
    const counted = takeRollUps(rollUps)
    for (let at = 0; at < counted.length; at += ROWS_PER_COMMIT) {
      const some = counted.slice(at, at + ROWS_PER_COMMIT)
      try {
        await database.write((sql) => {
          for (const rollUp of some) count(sql, rollUp)
        })
      } catch (error) {
        returnRollUps(rollUps, counted.slice(at))
        throw error
      }
      await nextTurn()
    }
  }
  return {
    add: (denial: Denial): void => void queue.push(denial),
    count: (denial: Denial): void => addToRollUp(rollUps, denial),
    inFull: (): number => queue.length,
    async write(): Promise<void> {
      await writeInFull()
      await writeCounts()
    },
    /** How many are lost. */
    drop: (): number => queue.length + takeRollUps(rollUps).reduce((sum, { count }) => sum + count, 0),
  }
}

const insertAlone = (sql: Sql, denial: Denial): void => {
  try {
    sql(INSERT).run(ownDecisionBytes(denial.decisionId), denial.tenant, denial.atSeconds, JSON.stringify(denial))
  } catch (error) {
    if (failureOf(error) !== 'row') throw error
    // Too big to keep whole: the decision stays findable, with its leaves and verdicts left out.
    const short = shortDenial(denial)
    sql(INSERT).run(ownDecisionBytes(denial.decisionId), denial.tenant, denial.atSeconds, JSON.stringify(short))
  }
}

const count = (sql: Sql, { minute, tenant, kind, source, count, listed, unlisted }: GatheredRollUp): void => {
  const row = sql(COUNT).get(minute, tenant, kind, source, count, unlisted)
  for (const decisionId of listed) sql(LIST).run(ownDecisionBytes(decisionId), row!['id'] as number)
}
