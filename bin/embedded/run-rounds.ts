// Work that comes back for as long as the broker runs: a round, a pause, the next. A round that fails is told and waited out: what
// it left undone is done by a later one, of this process or of another.
import { setTimeout as sleep } from 'node:timers/promises'

type Rounds = {
  /** True: there is more to take, and the next round follows at once. `closing` is for rounds that can end early. */
  readonly round: (closing: AbortSignal) => Promise<boolean>
  readonly pauseMs: number
  readonly onFailure: (error: unknown) => void
  /** The first round comes after a pause. */
  readonly isPausedFirst?: boolean
  /** close() takes one round more, so that what was answered before is done when the broker is down. */
  readonly isClosedByRound?: boolean
}

/** close() resolves when the round under way is over. */
export const runRounds = (rounds: Rounds) => {
  const { round, pauseMs, onFailure, isPausedFirst = false, isClosedByRound = false } = rounds
  const closing = new AbortController()
  const attempt = async (): Promise<boolean> => {
    try {
      return await round(closing.signal)
    } catch (error) {
      onFailure(error)
      return false
    }
  }
  const pause = (): Promise<void> =>
    sleep(pauseMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
  const run = async (): Promise<void> => {
    if (isPausedFirst) await pause()
    while (!closing.signal.aborted) if (!(await attempt())) await pause()
  }
  const running = run()
  return {
    close: async (): Promise<void> => {
      closing.abort()
      await running
      if (isClosedByRound) await attempt()
    },
  }
}
