import { expect, test } from 'vitest'
import { type ClockReading, judgeClock, startClock } from '../../lib/domain/clock-guard.ts'

const T0 = 1_795_000_000_000
const reading = (wallSeconds: number, monotonicSeconds: number, markSeconds = 0): ClockReading => ({
  wallMs: T0 + wallSeconds * 1000,
  monotonicMs: monotonicSeconds * 1000,
  markSeconds: markSeconds === 0 ? 0 : T0 / 1000 + markSeconds,
})
/** Feeds readings and returns what was trusted. */
const run = (readings: readonly ClockReading[]) => {
  let state = startClock(reading(0, 0))
  return readings.map((next) => {
    const judged = judgeClock(state, next)
    state = judged.state
    return judged.trusted
  })
}

test('time that passes normally is trusted, also a slow drift', () => {
  expect(run([reading(1, 1), reading(3600, 3600), reading(7205, 7200)])).toEqual([true, true, true])
})

test('a jump back or ahead of more than 30 s stops minting; 30 s does not', () => {
  expect(run([reading(1 - 31, 1)])).toEqual([false])
  expect(run([reading(1 + 31, 1)])).toEqual([false])
  expect(run([reading(1 + 30, 1)])).toEqual([true])
})

test('after a jump both must run together for 60 s before the clock is believed again', () => {
  expect(run([reading(3601, 1), reading(3660, 60), reading(3661, 61), reading(3700, 100)])).toEqual([
    false,
    false,
    true,
    true,
  ])
})

test('a second jump starts the wait again', () => {
  expect(run([reading(3601, 1), reading(7250, 50), reading(7261, 61), reading(7310, 110)])).toEqual([
    false,
    false,
    false,
    true,
  ])
})

test('a jump that is undone is trusted at once', () => {
  expect(run([reading(3601, 1), reading(2, 2)])).toEqual([false, true])
})

test('a clock more than 30 s behind what the store has seen is not trusted, even when it is steady', () => {
  expect(run([reading(10, 10, 41), reading(11, 11, 41)])).toEqual([false, true])
})
