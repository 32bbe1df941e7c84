// GCRA buckets in this process. Bounded: the bucket touched longest ago goes first, which at worst forgets a debt.
import { gcra } from '../../domain/gcra.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LocalRates, Taken } from '../../ports/rate-limiter.ts'

const ALLOWED: Taken = { allowed: true, retryAfterSeconds: 0 }

export const createMemoryRateLimiter = (clock: Clock, bucketsMax: number = LIMITS.rateBucketsMax): LocalRates => {
  // Two generations instead of a strict LRU: constant work a request, at most 2 x bucketsMax entries.
  let young = new Map<string, number>()
  let old = new Map<string, number>()
  return {
    take(bucket, [perSecond, burst]) {
      const nowMs = clock.monotonicMs()
      const verdict = gcra(young.get(bucket) ?? old.get(bucket) ?? 0, nowMs, perSecond, burst)
      if (young.size >= bucketsMax) {
        old = young
        young = new Map()
      }
      young.set(bucket, verdict.arrivalMs)
      return verdict.allowed ? ALLOWED : { allowed: false, retryAfterSeconds: verdict.retryAfterSeconds }
    },
  }
}

/** `serve --limits off`: benchmarks and tests. */
export const unlimitedRates: LocalRates = { take: () => ALLOWED }
