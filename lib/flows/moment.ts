// How long ago something was, by the later of two clocks (design §3): a wall clock may be set back, and a monotonic one stands still in
// a process that is frozen.
import type { Clock } from '../ports/clock.ts'

export type Moment = { readonly wallMs: number; readonly monotonicMs: number }

type Clocks = Pick<Clock, 'nowMs' | 'monotonicMs'>

export const momentOf = (clock: Clocks): Moment => ({ wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() })

export const ageMs = (since: Moment, clock: Clocks): number =>
  Math.max(clock.nowMs() - since.wallMs, clock.monotonicMs() - since.monotonicMs)
