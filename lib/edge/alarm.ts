// Alarms as one log line each, which CloudWatch also counts: the embedded metric format (EMF) makes a metric of the line.
import type { Logger } from '@aws-lambda-powertools/logger'
import { ALARMS, type Alarm } from '../domain/alarm.ts'

/** Metrics are `Mintmark / <kind>` by `function`. */
export const createAlarm =
  (functionName: string, log: Pick<Logger, 'error'>): Alarm =>
  (kind, fields) => {
    log.error(ALARMS[kind], {
      alarm: kind,
      ...fields,
      function: functionName,
      [kind]: 1,
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          { Namespace: 'Mintmark', Dimensions: [['function']], Metrics: [{ Name: kind, Unit: 'Count' }] },
        ],
      },
    })
  }
