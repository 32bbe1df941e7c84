// Keeps the clock's state between requests (lib/domain/clock-guard.ts judges) and raises the store's time mark.
import { judgeClock, startClock } from '../domain/clock-guard.ts'
import type { Clock } from '../ports/clock.ts'
import type { TimeMark } from '../ports/grant-store.ts'

export interface ClockGuard {
  /** False: times may not be judged now; mint answers 503. A trusted time is remembered in the store. */
  isTrusted(): boolean
}

export const createClockGuard = (clock: Clock, mark: TimeMark): ClockGuard => {
  const read = () => ({ wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs(), markSeconds: mark.highestSeconds() })
  let state = startClock(read())
  return {
    isTrusted() {
      const judged = judgeClock(state, read())
      state = judged.state
      return judged.trusted && mark.raise(clock.nowSeconds())
    },
  }
}
