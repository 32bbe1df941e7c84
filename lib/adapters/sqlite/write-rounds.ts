// Writings of a kind that share their syncs: one round at a time writes all there is, and the next one rests nine times as long as it
// took, but no longer than a second. So whatever the flood they have a tenth of the store's time, and more only where a disk is so slow
// that who waits for them would wait for seconds. One alone is written at once.
import { LIMITS } from '../../domain/limits.ts'

export type WriteRounds = {
  /** There is something to write: a round will. */
  readonly ask: () => void
  /** Resolves when what was asked for before is written, or a round failed to: it is tried again. Null: there is no such round to wait for. */
  readonly settled: () => Promise<void> | null
  /** A round without rest. Rejects with what `write` throws. */
  readonly now: () => Promise<void>
  /** No more rounds, but those of `now`. */
  readonly stop: () => void
}

/** `write` writes all there is; what it could not, it keeps. */
export const startWriteRounds = (write: () => Promise<void>): WriteRounds => {
  /** Those who wait for the round after the one that runs. */
  let asked: PromiseWithResolvers<void> | null = null
  let running: Promise<void> | null = null
  let restsUntilMs = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | null = null
  let isStopped = false

  const round = (): Promise<void> => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const mine = asked
    asked = null
    const beganMs = performance.now()
    const work = write()
    const ended = (hasFailed: boolean): void => {
      const endedMs = performance.now()
      const restMs = hasFailed ? LIMITS.denialRetryMs : (endedMs - beganMs) * LIMITS.denialRestTimes
      restsUntilMs = endedMs + Math.min(restMs, LIMITS.denialRestMsMax)
      running = null
      mine?.resolve()
      if (asked !== null || hasFailed) next()
    }
    running = work.then(
      () => ended(false),
      () => ended(true),
    )
    return work
  }
  const next = (): void => {
    if (running !== null || timer !== null || isStopped) return
    const restMs = restsUntilMs - performance.now()
    if (restMs <= 0) void round().catch(() => undefined)
    else timer = setTimeout(() => void round().catch(() => undefined), restMs).unref()
  }
  return {
    ask() {
      asked ??= Promise.withResolvers()
      next()
    },
    settled: () => asked?.promise ?? running,
    async now() {
      while (running !== null) await running
      await round()
    },
    stop() {
      isStopped = true
      if (timer !== null) clearTimeout(timer)
    },
  }
}
