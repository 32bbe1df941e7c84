// Denials before the answer: awaited, so that they are durable first, and never the reason for another answer. A refusal
// stays a refusal when its record could not be queued: it waits in this instance, and that is an alarm.
import type { Alarm } from '../domain/alarm.ts'
import { Unavailable } from '../domain/unavailable.ts'

type Flushed = { readonly flush: () => Promise<void>; readonly waiting: () => number }

export const settleDenials = (denials: Flushed, alarm: Alarm) => async (): Promise<void> => {
  try {
    await denials.flush()
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    alarm('denials_not_sent', { waiting: denials.waiting() })
  }
}
