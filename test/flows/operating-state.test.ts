import { expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { type Reading, reading } from '../../lib/domain/reading.ts'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { createOperatingState, type OperatingStatePorts } from '../../lib/flows/operating-state.ts'

const PERIOD_MS = LIMITS.metricStateSeconds * 1000

const setUp = (over: Partial<OperatingStatePorts> = {}) => {
  let nowMs = 0
  let reads = 0
  const state = createOperatingState({
    readStores: () => [reading('logLeaves', ++reads)],
    tenants: { peek: () => undefined },
    clock: { nowSeconds: () => 1_900_000_000, monotonicMs: () => nowMs },
    clockGuard: { isTrusted: () => true },
    anchors: 2,
    ...over,
  })
  return {
    state,
    wait: (ms: number) => {
      nowMs += ms
    },
  }
}

test('however many scrape, the stores are read once in a period, and again after it', () => {
  const { state, wait } = setUp()
  expect(state()).toContainEqual(reading('logLeaves', 1))
  wait(PERIOD_MS - 1)
  expect(state()).toContainEqual(reading('logLeaves', 1))
  wait(1)
  expect(state()).toContainEqual(reading('logLeaves', 2))
})

test('a store that does not answer is shown as down, with nothing old beside it, and is up again a period later', () => {
  const away = { isAway: false }
  const readStores = (): Reading[] => {
    if (away.isAway) throw new Unavailable('store_unavailable')
    return [reading('logLeaves', 7)]
  }
  const { state, wait } = setUp({ readStores })
  state()
  away.isAway = true
  wait(PERIOD_MS)
  expect(state()).toEqual([reading('storeUp', 0), reading('clockTrusted', 1), reading('anchors', 2)])
  away.isAway = false
  wait(PERIOD_MS)
  expect(state()).toContainEqual(reading('storeUp', 1))
})

test('a bug in the reading is no outage: it is not shown as a store that is down', () => {
  const bug = new TypeError('bug')
  const { state } = setUp({
    readStores: () => {
      throw bug
    },
  })
  expect(state).toThrow(bug)
})

test('the clock is judged at each scrape, not once in a period', () => {
  const clock = { isTrusted: true }
  const { state } = setUp({ clockGuard: { isTrusted: () => clock.isTrusted } })
  expect(state()).toContainEqual(reading('clockTrusted', 1))
  clock.isTrusted = false
  expect(state()).toContainEqual(reading('clockTrusted', 0))
})

test.each([
  ['is shown that the document names', { sinks: [{ name: 'siem' }] }, true],
  ['is not shown that the document no longer names', { sinks: [{ name: 'other' }] }, false],
  ['of a tenant that is gone is not shown', null, false],
  ['is shown while its document is not at hand: its series would come and go', undefined, true],
])('a sink %s', (_, config, isShown) => {
  const { state } = setUp({
    tenants: { peek: () => config as TenantConfig | null | undefined },
    readStores: (_nowSeconds, isSink) => [reading('logLeaves', isSink('acme', 'siem') ? 1 : 0)],
  })
  expect(state()).toContainEqual(reading('logLeaves', isShown ? 1 : 0))
})
