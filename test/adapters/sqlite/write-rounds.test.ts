import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startWriteRounds } from '../../../lib/adapters/sqlite/write-rounds.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** A disk that takes as long as it is told, and says which rounds it saw. */
const startRounds = () => {
  const writing: PromiseWithResolvers<void>[] = []
  const rounds = startWriteRounds(() => {
    const one = Promise.withResolvers<void>()
    writing.push(one)
    return one.promise
  })
  const end = async (tookMs: number, error?: Error) => {
    vi.advanceTimersByTime(tookMs)
    if (error) writing.at(-1)!.reject(error)
    else writing.at(-1)!.resolve()
    await nextTurn()
  }
  return { rounds, end, begun: () => writing.length }
}

test('one is written at once; what comes meanwhile is written together, after a rest of so many times as long as that took', async () => {
  const { rounds, end, begun } = startRounds()
  rounds.ask()
  expect(begun()).toBe(1)
  for (let at = 0; at < 100; at += 1) rounds.ask()
  await end(10)
  expect(begun()).toBe(1)
  vi.advanceTimersByTime(10 * LIMITS.denialRestTimes - 1)
  rounds.ask()
  expect(begun()).toBe(1)
  vi.advanceTimersByTime(1)
  expect(begun()).toBe(2)
  await end(10)
  vi.advanceTimersByTime(60_000)
  expect(begun()).toBe(2)
})

test('however slow a disk is, nobody waits for longer than it and the longest rest', async () => {
  const { rounds, end, begun } = startRounds()
  rounds.ask()
  rounds.ask()
  await end(5_000)
  vi.advanceTimersByTime(LIMITS.denialRestMsMax)
  expect(begun()).toBe(2)
})

test('who waits is told of the round that has what was asked for before, and of none before that', async () => {
  const { rounds, end, begun } = startRounds()
  expect(rounds.settled()).toBeNull()
  const told: string[] = []
  rounds.ask()
  void rounds.settled()?.then(() => told.push('first'))
  rounds.ask()
  void rounds.settled()?.then(() => told.push('second'))
  await end(1)
  expect(told).toEqual(['first'])
  vi.advanceTimersByTime(LIMITS.denialRestMsMax)
  expect(begun()).toBe(2)
  // Nothing new was asked for: this waits for the round that runs.
  void rounds.settled()?.then(() => told.push('third'))
  await end(1)
  expect(told.toSorted()).toEqual(['first', 'second', 'third'])
  expect(rounds.settled()).toBeNull()
})

test('a round that failed lets those go who wait, and is tried again though nobody asks', async () => {
  const { rounds, end, begun } = startRounds()
  rounds.ask()
  const settled = rounds.settled()
  await end(1, new Error('locked'))
  await settled
  expect(rounds.settled()).toBeNull()
  vi.advanceTimersByTime(LIMITS.denialRetryMs)
  expect(begun()).toBe(2)
})

test('now waits for the round that runs and writes without a rest, stopped or not; it says what failed', async () => {
  const { rounds, end, begun } = startRounds()
  rounds.ask()
  rounds.stop()
  const now = rounds.now()
  await end(1_000)
  expect(begun()).toBe(2)
  const failed = expect(now).rejects.toThrow('full')
  await end(1, new Error('full'))
  await failed
  rounds.ask()
  vi.advanceTimersByTime(60_000)
  expect(begun()).toBe(2)
})
