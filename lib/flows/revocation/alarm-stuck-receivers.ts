// A receiver that takes nothing for minutes is an alarm, whichever way it is told, and again as long as it lasts; and so is one that has
// left open all that its row holds, at once: from then on it is told nothing new.
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
  for (const { tenant, name, pending, full, oldestAtSeconds, last } of await receivers.list(null)) {
    if (full) alarm('receiver_full', { tenant, receiver: name, pending, problem: last?.problem ?? null })
    const waitedSeconds = oldestAtSeconds === null ? 0 : clock.nowSeconds() - oldestAtSeconds
    if (waitedSeconds < LIMITS.receiverStuckSeconds) continue
    alarm('receiver_stuck', { tenant, receiver: name, pending, waitedSeconds, problem: last?.problem ?? null })
  }
}
