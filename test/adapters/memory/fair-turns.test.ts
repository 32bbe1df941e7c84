import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createFairTurns } from '../../../lib/adapters/memory/fair-turns.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'

const NO_MAX = { tenantMax: Number.POSITIVE_INFINITY, instanceMax: Number.POSITIVE_INFINITY }
const fakeClock = () => {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs }
  return clock
}

test('what is below the rate of a turn starts at once, and a turn later there is room again', async () => {
  const turns = createFairTurns(fakeClock(), NO_MAX)
  for (let round = 0; round < 3; round += 1) {
    for (let at = 0; at < LIMITS.startsPerTurnMax; at += 1) expect(turns.enter('acme', 'a')).toBe(true)
    await nextTurn()
  }
})

test('a neighbour that comes after a hundred goes second, and all of them go', async () => {
  const turns = createFairTurns(fakeClock(), NO_MAX)
  const went: string[] = []
  const all = Array.from({ length: 100 }, async (_, at) => {
    const isItsTurn = await turns.enter('loud', `source-${at}`)
    if (isItsTurn) went.push('loud')
  })
  const quiet = (async () => {
    if (await turns.enter('quiet', 'b')) went.push('quiet')
  })()
  await Promise.all([...all, quiet])
  expect(went).toHaveLength(101)
  expect(went.indexOf('quiet')).toBeLessThanOrEqual(LIMITS.startsPerTurnMax + 1)
})

test('one who waited too long is told so, and no longer counts as present', async () => {
  const clock = fakeClock()
  const turns = createFairTurns(clock, { tenantMax: LIMITS.startsPerTurnMax + 1, instanceMax: 100 })
  for (let at = 0; at < LIMITS.startsPerTurnMax; at += 1) await turns.enter('acme', 'a')
  const late = turns.enter('acme', 'a')
  clock.nowMs = LIMITS.turnWaitMs + 1
  expect(await late).toBe(false)
  expect(turns.enter('acme', 'a')).not.toBe(false)
})

test('a full tenant gives up its oldest waiting one for a new one, refuses when none waits, and its neighbour has room', async () => {
  const turns = createFairTurns(fakeClock(), { tenantMax: LIMITS.startsPerTurnMax + 1, instanceMax: 100 })
  for (let at = 0; at < LIMITS.startsPerTurnMax; at += 1) await turns.enter('acme', 'a')
  const oldest = turns.enter('acme', 'a')
  const newest = turns.enter('acme', 'b')
  expect(await oldest).toBe(false)
  expect(await newest).toBe(true)
  expect(turns.enter('acme', 'a')).toBe(false)
  expect(await turns.enter('other', 'a')).toBe(true)
  turns.leave('acme')
  expect(await turns.enter('acme', 'a')).toBe(true)
})

test('a full instance gives up what the longest line has waiting', async () => {
  const turns = createFairTurns(fakeClock(), { tenantMax: 100, instanceMax: LIMITS.startsPerTurnMax + 2 })
  for (let at = 0; at < LIMITS.startsPerTurnMax; at += 1) await turns.enter('loud', 'a')
  const waiting = [turns.enter('loud', 'a'), turns.enter('loud', 'a')]
  const neighbour = turns.enter('quiet', 'b')
  expect(await waiting[0]).toBe(false)
  expect(await neighbour).toBe(true)
})
