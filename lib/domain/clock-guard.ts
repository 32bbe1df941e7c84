// When the clock may not be trusted to judge times (design §3, Clock): it went back behind what the store has seen, or wall
// and monotonic time parted. Minting stops until both have run together for a while and are re-based. Pure state machine.
import { LIMITS } from './limits.ts'

export type ClockReading = { readonly wallMs: number; readonly monotonicMs: number; readonly markSeconds: number }

export type ClockState = {
  /** wall - monotonic at the time both were last agreed on. */
  readonly offsetMs: number
  /** Monotonic time since which wall and monotonic have run together at a new offset; null: no disagreement. */
  readonly pendingSinceMs: number | null
  readonly pendingOffsetMs: number
}

export const startClock = (reading: ClockReading): ClockState => ({
  offsetMs: reading.wallMs - reading.monotonicMs,
  pendingSinceMs: null,
  pendingOffsetMs: 0,
})

const STEP_MS = LIMITS.clockStepSecondsMax * 1000

/** The next state, and whether times may be judged now. */
export const judgeClock = (
  state: ClockState,
  reading: ClockReading,
): { readonly state: ClockState; readonly trusted: boolean } => {
  const behind = reading.markSeconds * 1000 - reading.wallMs > STEP_MS
  const offsetMs = reading.wallMs - reading.monotonicMs
  if (Math.abs(offsetMs - state.offsetMs) <= STEP_MS) {
    return { state: state.pendingSinceMs === null ? state : { ...state, pendingSinceMs: null }, trusted: !behind }
  }
  // Parted. The new offset must hold for a while before it becomes the base; another jump starts the wait again.
  const sameJump = state.pendingSinceMs !== null && Math.abs(offsetMs - state.pendingOffsetMs) <= STEP_MS
  const since = sameJump ? (state.pendingSinceMs as number) : reading.monotonicMs
  if (reading.monotonicMs - since >= LIMITS.clockRebaseSeconds * 1000) {
    return { state: { offsetMs, pendingSinceMs: null, pendingOffsetMs: 0 }, trusted: !behind }
  }
  return { state: { ...state, pendingSinceMs: since, pendingOffsetMs: offsetMs }, trusted: false }
}
