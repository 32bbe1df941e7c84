// When a store is behind what the world has seen, and when it only looks so.
import { expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { behindReason, floorOf, type StoreView } from '../../lib/domain/recovery.ts'

const ACME = 'sts.example/t/acme/log'
const view = (changes: Partial<StoreView> = {}): StoreView => ({
  logs: new Map([[ACME, 10]]),
  anchored: new Map([[ACME, 10]]),
  positions: [{ logged: 5, acknowledged: 5 }],
  ...changes,
})

test.each<[name: string, changes: Partial<StoreView>, reason: string | null]>([
  ['as long as its anchor says', {}, null],
  ['longer than its anchor says', { anchored: new Map([[ACME, 9]]) }, null],
  ['without an anchor', { anchored: new Map() }, null],
  ['shorter than its anchor says, by one leaf', { anchored: new Map([[ACME, 11]]) }, 'log_behind_anchor'],
  [
    'no log where an anchor knows one',
    { logs: new Map([[ACME, 0]]), anchored: new Map([[ACME, 1]]) },
    'log_behind_anchor',
  ],
  ['an anchor that knows the log of another broker', { anchored: new Map([['other.example/t/acme/log', 99]]) }, null],
  [
    'records that the log took, and are not there',
    {
      positions: [
        { logged: 5, acknowledged: 5 },
        { logged: 6, acknowledged: 5 },
      ],
    },
    'records_behind_log',
  ],
  ['records that the log was not told of yet', { positions: [{ logged: 5, acknowledged: 900 }] }, null],
  ['no log yet', { positions: [], logs: new Map(), anchored: new Map() }, null],
])('a store %s', (_, changes, reason) => expect(behindReason(view(changes))).toBe(reason))

test('the floor is beyond what an issuer whose clock is ahead can have signed', () =>
  expect(floorOf(1_000)).toBe(1_000 + LIMITS.leewaySeconds))
