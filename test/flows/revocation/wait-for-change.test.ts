// Polls that wait, on a real store, with a clock that pauses move.
import { expect, test } from 'vitest'
import { createRevocationChanges } from '../../../lib/adapters/sqlite/revocation-changes.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { createWaitForChange } from '../../../lib/flows/revocation/wait-for-change.ts'
import type { Pause } from '../../../lib/ports/system.ts'
import { receiverBench } from '../../support/receiver-bench.ts'

const INNER = { tenant: 'acme', name: 'inner' }

const waiting = async (names: readonly string[] = ['inner']) => {
  const bench = await receiverBench(names.map((name) => ({ name, type: 'poll' })))
  const { receivers, clock } = bench.ports
  let looks = 0
  const portsWith = (pause: Pause) => ({
    receivers: {
      async pending(...args: Parameters<typeof receivers.pending>) {
        looks += 1
        return await receivers.pending(...args)
      },
    },
    changes: createRevocationChanges(bench.database),
    clock,
    pause,
  })
  return { bench, portsWith, looks: () => looks }
}

test('who waits looks into what is pending only when the tenant has another change', async () => {
  const { bench, portsWith, looks } = await waiting()
  // Refused, and so pending, and nothing new.
  await bench.block('1')
  const refused = { seq: 1, jti: 'x', problem: 'invalid_key', status: null, bytes: null }
  await bench.ports.receivers.answer(INNER, [refused], 1)
  let pauses = 0
  const pause: Pause = async (ms) => {
    bench.keys.clock.add(ms / 1000)
    pauses += 1
    if (pauses === 50) await bench.block('2')
    return true
  }
  expect(await createWaitForChange(portsWith(pause))(INNER)).toBe(true)
  expect([pauses, looks()]).toEqual([50, 2])
  await bench.ports.receivers.answer(INNER, [{ ...refused, seq: 2, problem: null }], 1)
  expect(await createWaitForChange(portsWith(pause))(INNER)).toBe(true)
  expect([pauses, looks()]).toEqual([50 + LIMITS.pollWaitMs / LIMITS.pollLookMs, 3])
})

test('one receiver takes a few of the places to wait, and gives them back', async () => {
  const { portsWith } = await waiting(['inner', 'other'])
  let go = (): void => undefined
  const gone = new Promise<boolean>((resolve) => {
    go = () => resolve(false)
  })
  const wait = createWaitForChange(portsWith(() => gone))
  const places = Array.from({ length: LIMITS.pollsWaitingPerReceiver }, () => wait(INNER))
  expect(await wait(INNER)).toBe(false)
  const other = wait({ tenant: 'acme', name: 'other' })
  go()
  expect(new Set(await Promise.all([...places, other]))).toEqual(new Set([true]))
  expect(await wait(INNER)).toBe(true)
})
