// Time is a number here: it goes on when a test says so.
import { expect, test } from 'vitest'
import { createHeldAnswers } from '../../bin/embedded/held-answers.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { manualTime } from '../support/manual-time.ts'

const [AT_LEAST_MS, AT_MOST_MS] = LIMITS.heldAnswerMs

const house = () => {
  const time = manualTime()
  const held = createHeldAnswers(LIMITS.heldAnswersMax, time)
  const answered: string[] = []
  return { time, held, answered, hold: (name: string) => held.hold(() => answered.push(name)) }
}

test('an answer is kept for its time, then goes out by itself', () => {
  const { time, answered, hold } = house()
  hold('a')
  time.pass(AT_LEAST_MS - 1)
  expect(answered).toEqual([])
  time.pass(1)
  expect(answered).toEqual(['a'])
})

test('answers that came together do not leave together, or their clients would come together again', () => {
  const { time, answered, hold } = house()
  for (let at = 0; at < 100; at += 1) hold(String(at))
  time.pass(AT_LEAST_MS)
  expect(answered).toEqual(['0'])
  time.pass(LIMITS.heldAnswerStepMs * 9)
  expect(answered).toHaveLength(10)
})

test('a full house lets the oldest go at once: connections are never what runs out', () => {
  const { answered, hold } = house()
  for (let at = 0; at < LIMITS.heldAnswersMax; at += 1) hold(String(at))
  expect(answered).toEqual([])
  hold('one more')
  hold('another')
  expect(answered).toEqual(['0', '1'])
})

test('a long flood leaves no debt: what is held after it waits no longer than the most', () => {
  const { time, answered, hold } = house()
  for (let at = 0; at < 100_000; at += 1) hold('flood')
  hold('last')
  expect(answered).not.toContain('last')
  time.pass(AT_MOST_MS)
  expect(answered.at(-1)).toBe('last')
  expect(answered).toHaveLength(100_001)
})

test('a client that left is forgotten, and takes no place', () => {
  const { time, answered, hold } = house()
  for (let at = 0; at < LIMITS.heldAnswersMax; at += 1) hold('gone')()
  hold('stays')
  expect(answered).toEqual([])
  time.pass(AT_MOST_MS)
  expect(answered).toEqual(['stays'])
})

test('closing lets all go, and holds nothing from then on: an end is not held up', () => {
  const { held, answered, hold } = house()
  hold('a')
  hold('b')
  held.close()
  expect(answered).toEqual(['a', 'b'])
  hold('c')
  expect(answered).toEqual(['a', 'b', 'c'])
})
