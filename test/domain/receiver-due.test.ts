import { expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { isFree, isPushDue } from '../../lib/domain/receiver-due.ts'
import type { OpenRange } from '../../lib/domain/receiver-progress.ts'
import { SET_REFUSALS } from '../../lib/domain/revocation-set.ts'

const NOW = 1_000_000
const REFUSED = SET_REFUSALS[0]!
const lease = (holder: string, leasedUntilMs: number) => ({ holder, leasedUntilMs })

test.each([
  ['nobody has it', lease('', 0), true],
  ['it is our own', lease('me', NOW + 1), true],
  ['another has it', lease('other', NOW + 1), false],
  ['another has it for as long as one can', lease('other', NOW + LIMITS.receiverLeaseMs), false],
  ['another had it', lease('other', NOW), true],
  ['it reaches further than any lease: the clock went back', lease('other', NOW + LIMITS.receiverLeaseMs + 1), true],
])('a receiver may be leased: %s', (_, receiver, free) => {
  expect(isFree(receiver, 'me', NOW)).toBe(free)
})

const open = (count: number, problem: string | null = REFUSED): OpenRange[] =>
  Array.from({ length: count }, (_, at) => ({ from: at + 1, to: at + 1, problem, atSeconds: 1 }))
const receiver = (answered: number, retryAtMs: number, problem: string | null, ranges: readonly OpenRange[] = []) => ({
  progress: { answered, open: ranges },
  retryAtMs,
  last: { problem },
})

test.each([
  ['nothing is owed', receiver(3, 0, null), false],
  ['something is new', receiver(2, 0, null), true],
  ['it was down, and waits', receiver(2, NOW + 1, 'timeout'), false],
  ['it was down, and has waited', receiver(2, NOW, 'timeout'), true],
  [
    'the wait is longer than any: the clock went back',
    receiver(2, NOW + LIMITS.receiverRetryMsMax + 1, 'timeout'),
    true,
  ],
  ['one was refused, and another is new', receiver(2, NOW + 1, REFUSED, open(1)), true],
  ['one was refused, and nothing is new', receiver(3, NOW + 1, REFUSED, open(1)), false],
  [
    'as many are open as are kept track of: the next refusal would leave no trace',
    receiver(2, NOW + 1, REFUSED, open(LIMITS.receiverOpenMax)),
    false,
  ],
])('a push is due: %s', (_, state, due) => {
  expect(isPushDue(state, { nowMs: NOW, head: 3 })).toBe(due)
})
