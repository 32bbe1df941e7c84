// Many who waited for one thing share the event loop with those who did not.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createInTurns } from '../../bin/embedded/in-turns.ts'
import { LIMITS } from '../../lib/domain/limits.ts'

const { answersPerTurn } = LIMITS

test('one alone is done at once', async () => {
  const inTurns = createInTurns()
  const done: string[] = []
  inTurns(() => done.push('first'))
  expect(done).toEqual(['first'])
  await nextTurn()
  await nextTurn()
  inTurns(() => done.push('second'))
  expect(done).toEqual(['first', 'second'])
})

test('of many so many are done a turn, all of them in their order', async () => {
  const inTurns = createInTurns()
  const done: number[] = []
  const many = answersPerTurn * 3
  const released = Promise.withResolvers<void>()
  for (let at = 0; at < many; at += 1) void released.promise.then(() => inTurns(() => done.push(at)))
  released.resolve()
  let before = 0
  for (let turns = 1; done.length < many; turns += 1) {
    await nextTurn()
    expect(done.length - before).toBeLessThanOrEqual(answersPerTurn + 1)
    expect(turns).toBeLessThanOrEqual(8)
    before = done.length
  }
  expect(done).toEqual(Array.from({ length: many }, (_, at) => at))
})

test('what comes while others wait is done behind them, and none is lost', async () => {
  const inTurns = createInTurns()
  const done: number[] = []
  for (let at = 0; at <= answersPerTurn; at += 1) inTurns(() => done.push(at))
  await nextTurn()
  inTurns(() => done.push(-1))
  while (done.length < answersPerTurn + 2) await nextTurn()
  expect(done.at(-1)).toBe(-1)
})
