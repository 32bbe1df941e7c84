// Pauses of this process. Bounded: the one that began longest ago goes first, and its source is read again.
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Pauses } from '../../ports/pauses.ts'

export const createPauses = (clock: Pick<Clock, 'monotonicMs'>, pausesMax: number = LIMITS.pausesMax): Pauses => {
  /** When each ends. All are of one length, so they are in the order of their ends. */
  const ends = new Map<string, number>()
  const keyOf = (source: string, tenant: string): string => `${source} ${tenant}`

  return {
    pause(source, tenant) {
      const nowMs = clock.monotonicMs()
      const key = keyOf(source, tenant)
      ends.delete(key)
      for (const [oldest, endMs] of ends) {
        if (endMs > nowMs && ends.size < pausesMax) break
        ends.delete(oldest)
      }
      ends.set(key, nowMs + LIMITS.pauseMs)
    },
    secondsLeft(source, tenant) {
      if (ends.size === 0) return null
      const leftMs = (ends.get(keyOf(source, tenant)) ?? 0) - clock.monotonicMs()
      return leftMs > 0 ? Math.ceil(leftMs / 1_000) : null
    },
  }
}
