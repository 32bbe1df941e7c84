// Keeps the clock's state between requests (lib/domain/clock-guard.ts judges) and raises the store's time mark.
import { judgeClock, startClock } from '../domain/clock-guard.ts'
import { Unavailable } from '../domain/unavailable.ts'
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

type MarkedClockPorts = {
  readonly clock: Clock
  /** Throws Unavailable. `flushIfDue` exchanges marks with other processes. */
  readonly start: () => Promise<TimeMark & { readonly flushIfDue: () => Promise<void> }>
}

/**
 * A guard whose mark is read with the first request: until then no time may be judged, and a store that is away is an outage
 * of that request and not of the process.
 */
export const createMarkedClock = ({ clock, start }: MarkedClockPorts) => {
  const open = async () => {
    const mark = await start()
    return { mark, guard: createClockGuard(clock, mark) }
  }
  let opened: ReturnType<typeof open> | null = null
  return {
    async guard(): Promise<ClockGuard> {
      opened ??= open().catch((error: unknown) => {
        opened = null
        throw error
      })
      return (await opened).guard
    },
    /** What is in memory stands where the store does not answer. */
    async settle(): Promise<void> {
      try {
        await (await opened)?.mark.flushIfDue()
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
      }
    },
  }
}
