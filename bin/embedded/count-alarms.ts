// Every alarm is a line of the process log (lib/edge/alarm.ts), whoever raises it: there it is counted.
import { type BrokerCounts, countOne, isAlarmKind } from '../../lib/domain/broker-counts.ts'
import type { createLogger } from '../../lib/edge/logger.ts'

type Log = ReturnType<typeof createLogger>

export const countingAlarms = (log: Log, count: (kind: unknown) => void): Log => ({
  ...log,
  error(message, ...extra) {
    const [fields] = extra
    if (typeof fields === 'object' && 'alarm' in fields) count(fields.alarm)
    log.error(message, ...extra)
  },
})

/** What is no kind of alarm is not counted. */
export const alarmCounter =
  ({ alarms }: BrokerCounts) =>
  (kind: unknown): void => {
    if (isAlarmKind(kind)) countOne(alarms, kind)
  }
