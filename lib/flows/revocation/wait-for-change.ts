// Polls that found nothing new wait for it. A look costs one number, until that moved; and of each receiver only a few wait, so
// that no tenant takes the places of the others.
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { PendingChange, ReceiverKey, ReceiverQueue } from '../../ports/receivers.ts'
import type { RevocationChanges } from '../../ports/revocation-feed.ts'
import type { Pause } from '../../ports/system.ts'

export type WaitPorts = {
  readonly receivers: Pick<ReceiverQueue, 'pending'>
  readonly changes: Pick<RevocationChanges, 'head'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly pause: Pause
}

/** True: something new, or the time of a wait is over. False: there is no place to wait. Throws Unavailable. */
export type WaitForChange = (receiver: ReceiverKey) => Promise<boolean>

export const createWaitForChange = ({ receivers, changes, clock, pause }: WaitPorts): WaitForChange => {
  const waiting = new Map<string, number>()
  let all = 0
  const enter = (name: string, by: 1 | -1): void => {
    all += by
    const count = (waiting.get(name) ?? 0) + by
    if (count === 0) waiting.delete(name)
    else waiting.set(name, count)
  }
  return async (receiver) => {
    const name = `${receiver.tenant} ${receiver.name}`
    if (all >= LIMITS.pollsWaitingMax || (waiting.get(name) ?? 0) >= LIMITS.pollsWaitingPerReceiver) return false
    enter(name, 1)
    try {
      const endMs = clock.monotonicMs() + LIMITS.pollWaitMs
      let seen: number | null = null
      while (clock.monotonicMs() < endMs && (await pause(LIMITS.pollLookMs))) {
        // INVARIANT: read before what is pending, or a change in between would be taken for seen.
        const head = await changes.head(receiver.tenant)
        if (head === seen) continue
        seen = head
        if (isAnyNew(await receivers.pending(receiver, 1))) break
      }
      return true
    } finally {
      enter(name, -1)
    }
  }
}

export const isAnyNew = (pending: readonly PendingChange[]): boolean => pending.some(({ problem }) => problem === null)
