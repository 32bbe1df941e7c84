// A round of `audit`: what the feed has is appended, what has grown is signed. Behind a backlog rounds follow at once, and logs are signed
// no more often than without one: a checkpoint is a commit for itself, which takes as long as that of the leaves it covers.
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'

export type RoundPorts = {
  /** True where there is more. */
  readonly append: () => Promise<boolean>
  readonly sign: () => Promise<void>
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/**
 * True where there is more to append; where there is not, everything is signed, and when the broker closes, all that is appended. A round
 * that failed has signed nothing: the next does.
 */
export const createRound = ({ append, sign, clock }: RoundPorts): ((closing?: AbortSignal) => Promise<boolean>) => {
  let signedAtMs = Number.NEGATIVE_INFINITY
  return async (closing) => {
    const isMore = await append()
    const nowMs = clock.monotonicMs()
    const isLast = closing?.aborted === true
    if (isMore && !isLast && nowMs - signedAtMs < LIMITS.logRoundMs) return true
    await sign()
    signedAtMs = nowMs
    return isMore
  }
}
