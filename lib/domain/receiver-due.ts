// When a receiver is pushed to, and by whom: a lease that one holder has, and a wait after what failed. A store that keeps a receiver
// as rows asks the same in its own language (lib/adapters/sqlite/receivers.ts). Pure.
import { LIMITS } from './limits.ts'
import { countOwed, type ReceiverProgress } from './receiver-progress.ts'
import { SET_REFUSALS } from './revocation-set.ts'

/** `holder` '': nobody. */
export type ReceiverLease = { readonly holder: string; readonly leasedUntilMs: number }

/** What came of the last attempt. */
export type ReceiverWait = {
  readonly retryAtMs: number
  readonly last: { readonly problem: string | null } | null
}

/** Whether a problem is of one SET alone: others are pushed all the same. */
export const isRefusal = (problem: string): boolean => SET_REFUSALS.includes(problem)

/** As many numbers are open as its row holds. */
export const isFull = ({ open }: ReceiverProgress): boolean => open.length >= LIMITS.receiverOpenMax

/** A lease or a wait that reaches further than either can is of a clock that went back. */
const isOver = (untilMs: number, nowMs: number, longestMs: number): boolean =>
  untilMs <= nowMs || untilMs > nowMs + longestMs

export const isFree = ({ holder, leasedUntilMs }: ReceiverLease, by: string, nowMs: number): boolean =>
  holder === '' || holder === by || isOver(leasedUntilMs, nowMs, LIMITS.receiverLeaseMs)

/** Whether something is owed that may be pushed now. `head`: how many changes there are. */
export const isPushDue = (
  { progress, retryAtMs, last }: ReceiverWait & { readonly progress: ReceiverProgress },
  { nowMs, head }: { readonly nowMs: number; readonly head: number },
): boolean => {
  if (countOwed(progress, head) === 0) return false
  // What is new does not wait for what was refused; but where a refusal leaves no trace the wait is all there is.
  const isNew = !isFull(progress) && last?.problem != null && isRefusal(last.problem) && head > progress.answered
  return isNew || isOver(retryAtMs, nowMs, LIMITS.receiverRetryMsMax)
}
