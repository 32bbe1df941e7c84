// A receiver that takes nothing for minutes is an alarm, whichever way it is told, and again as long as it lasts.
import type { Alarm } from '../../domain/alarm.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ReceiverStates } from '../../ports/receivers.ts'

export type StuckPorts = {
  readonly receivers: ReceiverStates
  readonly clock: Pick<Clock, 'nowSeconds'>
  readonly alarm: Alarm
}

/** Throws Unavailable. */
export const alarmStuckReceivers = async ({ receivers, clock, alarm }: StuckPorts): Promise<void> => {
  for (const { tenant, name, pending, oldestAtSeconds, last } of await receivers.list(null)) {
    const waitedSeconds = oldestAtSeconds === null ? 0 : clock.nowSeconds() - oldestAtSeconds
    if (waitedSeconds < LIMITS.receiverStuckSeconds) continue
    alarm('receiver_stuck', { tenant, receiver: name, pending, waitedSeconds, problem: last?.problem ?? null })
  }
}
