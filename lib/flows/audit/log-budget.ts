// Back-pressure by disk (design §3 of the audit stream): audit.db holds every tenant's log, and grows with every event whether sinks
// take them or not. At its budget nothing is appended: records wait in the feed, where nothing unacknowledged is swept away, and
// mint has the rest of the disk. Nothing is dropped; with a larger budget the log catches up.
import type { Alarm } from '../../domain/alarm.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'

export type LogBudgetPorts = {
  /** Bytes the logs take now. Throws Unavailable. */
  readonly bytesUsed: () => number
  readonly budgetBytes: number
  readonly alarm: Alarm
  readonly clock: Pick<Clock, 'monotonicMs'>
}

export const createLogBudget = ({ bytesUsed, budgetBytes, alarm, clock }: LogBudgetPorts) => {
  let alarmedMs = Number.NEGATIVE_INFINITY
  return {
    /** Whether a round may append; said aloud once a minute where it may not. */
    hasRoom(): boolean {
      const bytes = bytesUsed()
      if (bytes < budgetBytes) return true
      const nowMs = clock.monotonicMs()
      if (nowMs - alarmedMs >= LIMITS.sinkAlarmEveryMs) {
        alarmedMs = nowMs
        alarm('log_budget_reached', { bytes, budget_bytes: budgetBytes })
      }
      return false
    },
  }
}
