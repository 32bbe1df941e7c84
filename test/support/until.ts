// How tests wait: for a state, never for a time, and all with one patience. A slow machine makes a test slow, not red; what never
// comes fails with what was waited for and what was seen last. `expect.poll` waits as long (vitest.config.ts).
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

/** Three times what the product ever rests by itself (LIMITS.sinkRetryMsMax), and more than any machine was slow by. */
export const COMES_WITHIN_MS = 180_000
const REST_MS_MAX = 500

/** Of every tier: who waits in vain says for what, long before the test is ended around it. */
export const PATIENCE = {
  testTimeout: 4 * COMES_WITHIN_MS,
  hookTimeout: 4 * COMES_WITHIN_MS,
  expect: { poll: { timeout: COMES_WITHIN_MS, interval: 50 } },
} as const

const LATE = Symbol('late')

/** Looks until what is seen is so, and gives it back. An error of the look itself is not waited out. */
export const until = async <T>(
  what: string,
  look: () => T | Promise<T>,
  isSo: (seen: T) => boolean = Boolean,
  withinMs = COMES_WITHIN_MS,
): Promise<T> => {
  const ended = new AbortController()
  const late = sleep(withinMs, LATE, { signal: ended.signal }).catch(() => LATE)
  let last = 'nothing: the first look is not over'
  try {
    for (let restMs = 10; ; restMs = Math.min(2 * restMs, REST_MS_MAX)) {
      const seen = await Promise.race([look(), late])
      if (seen !== LATE) {
        if (isSo(seen as T)) return seen as T
        last = inspect(seen, { depth: 6 })
      }
      if (seen === LATE || (await Promise.race([sleep(restMs), late])) === LATE)
        throw new Error(`not within ${withinMs / 1_000} s: ${what}. Last seen: ${last}`)
    }
  } finally {
    ended.abort()
  }
}
