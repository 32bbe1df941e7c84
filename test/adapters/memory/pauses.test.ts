import { expect, test } from 'vitest'
import { createPauses } from '../../../lib/adapters/memory/pauses.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'

const pausesAt = (max?: number) => {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs }
  return { clock, pauses: createPauses(clock, max) }
}

test('a pause is of one source and one tenant, and ends by itself: asking does not make it longer', () => {
  const { clock, pauses } = pausesAt()
  pauses.pause('192.0.2.1', 'loud')
  expect(pauses.secondsLeft('192.0.2.1', 'loud')).toBe(LIMITS.pauseMs / 1_000)
  expect(pauses.secondsLeft('192.0.2.1', 'quiet')).toBeNull()
  expect(pauses.secondsLeft('192.0.2.2', 'loud')).toBeNull()
  clock.nowMs = LIMITS.pauseMs - 1
  expect(pauses.secondsLeft('192.0.2.1', 'loud')).toBe(1)
  clock.nowMs = LIMITS.pauseMs
  expect(pauses.secondsLeft('192.0.2.1', 'loud')).toBeNull()
})

test('as many addresses as anybody has fill no memory: the oldest pause is forgotten, the newest stands', () => {
  const { pauses } = pausesAt(100)
  for (let at = 0; at < 1_000; at += 1) pauses.pause(`source-${at}`, 'loud')
  const paused = Array.from({ length: 1_000 }, (_, at) => at).filter(
    (at) => pauses.secondsLeft(`source-${at}`, 'loud') !== null,
  )
  expect(paused).toEqual(Array.from({ length: 100 }, (_, at) => 900 + at))
})

test('one that is paused again is paused for the whole time, and is not forgotten as the oldest', () => {
  const { clock, pauses } = pausesAt(2)
  pauses.pause('a', 'loud')
  pauses.pause('b', 'loud')
  clock.nowMs = 1_000
  pauses.pause('a', 'loud')
  pauses.pause('c', 'loud')
  expect(pauses.secondsLeft('b', 'loud')).toBeNull()
  expect(pauses.secondsLeft('a', 'loud')).toBe(LIMITS.pauseMs / 1_000)
})
