import { expect, test } from 'vitest'
import { runRounds } from '../../bin/embedded/run-rounds.ts'

const AN_HOUR_MS = 3_600_000

/** Counts the rounds; `isMore` is given the number of each, from 1. */
const counted = (isMore: (n: number) => boolean | Promise<boolean>) => {
  let n = 0
  return { count: () => n, round: async () => isMore(++n) }
}

test('while there is more to take no pause is made, and the first round without more makes one', async () => {
  const { promise: third, resolve } = Promise.withResolvers<void>()
  const { count, round } = counted((n) => {
    if (n === 3) resolve()
    return n < 3
  })
  const rounds = runRounds({ round, pauseMs: AN_HOUR_MS, onFailure: () => undefined })
  await third
  await rounds.close()
  expect(count()).toBe(3)
})

test('where the first round is to wait, none is taken before a pause', async () => {
  const { promise: first, resolve } = Promise.withResolvers<void>()
  const waiting = counted(() => false)
  const rounds = runRounds({ ...waiting, pauseMs: AN_HOUR_MS, onFailure: () => undefined, isPausedFirst: true })
  const paused = counted(() => {
    resolve()
    return false
  })
  const soon = runRounds({ ...paused, pauseMs: 1, onFailure: () => undefined, isPausedFirst: true })
  expect(paused.count()).toBe(0)
  await first
  await Promise.all([rounds.close(), soon.close()])
  expect(waiting.count()).toBe(0)
})

test('a round that fails is told with its error and does not end the rounds', async () => {
  const failures: unknown[] = []
  const { promise: second, resolve } = Promise.withResolvers<void>()
  const away = new Error('away')
  const { round } = counted((n) => {
    if (n === 1) throw away
    resolve()
    return false
  })
  const rounds = runRounds({ round, pauseMs: 1, onFailure: (error) => failures.push(error) })
  await second
  await rounds.close()
  expect(failures).toEqual([away])
})

test.each([
  { isClosedByRound: false, taken: 1 },
  { isClosedByRound: true, taken: 2 },
])('closing waits for the round under way ($taken in all where isClosedByRound is $isClosedByRound)', async (row) => {
  const { promise: underWay, resolve: letGo } = Promise.withResolvers<boolean>()
  const { count, round } = counted((n) => (n === 1 ? underWay : false))
  const rounds = runRounds({ round, pauseMs: AN_HOUR_MS, onFailure: () => undefined, ...row })
  let isClosed = false
  const closing = rounds.close().then(() => {
    isClosed = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isClosed).toBe(false)
  letGo(false)
  await closing
  expect(count()).toBe(row.taken)
})

test('a last round that fails is told, and closing goes on', async () => {
  const failures: unknown[] = []
  const round = () => Promise.reject(new Error('away'))
  const rounds = runRounds({ round, pauseMs: AN_HOUR_MS, onFailure: (e) => failures.push(e), isClosedByRound: true })
  await rounds.close()
  expect(failures).toHaveLength(2)
})

test('a round that takes long is told that it may end, as soon as the rounds are closed', async () => {
  const signals: AbortSignal[] = []
  const round = async (closing: AbortSignal) => {
    signals.push(closing)
    await new Promise<void>((resolve) => closing.addEventListener('abort', () => resolve()))
    return true
  }
  const rounds = runRounds({ round, pauseMs: AN_HOUR_MS, onFailure: () => undefined })
  await rounds.close()
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
})
