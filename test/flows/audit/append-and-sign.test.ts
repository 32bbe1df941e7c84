// How often logs are signed, by rounds that follow one another.
import { expect, test } from 'vitest'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { createRound } from '../../../lib/flows/audit/append-and-sign.ts'

const setUp = (more: readonly (boolean | Error)[]) => {
  const left = [...more]
  const signed: number[] = []
  let nowMs = 5_000
  const round = createRound({
    append: async () => {
      const isMore = left.shift()!
      if (isMore instanceof Error) throw isMore
      return isMore
    },
    sign: async () => void signed.push(nowMs),
    clock: { monotonicMs: () => nowMs },
  })
  return { round, signed, pass: (ms: number) => (nowMs += ms) }
}

test('behind a backlog logs are signed once in the time of a round, and again when it is over', async () => {
  const { round, signed, pass } = setUp([true, true, true, true, false])
  for (const isMore of [true, true, true, true, false]) {
    expect(await round()).toBe(isMore)
    pass(LIMITS.logRoundMs / 2)
  }
  expect(signed).toEqual([5_000, 6_000, 7_000])
})

test('without one they are signed with every round, however soon it comes', async () => {
  const { round, signed, pass } = setUp([false, true, false])
  for (const _ of [0, 1, 2]) {
    await round()
    pass(10)
  }
  expect(signed).toEqual([5_000, 5_020])
})

test('what a round could not sign the next one does', async () => {
  const { round, signed } = setUp([new Error('down'), true])
  await expect(round()).rejects.toThrow('down')
  await round()
  expect(signed).toEqual([5_000])
})

test('the last round of a broker signs what it appended, whatever is left for the next start', async () => {
  const { round, signed } = setUp([true, true])
  await round()
  expect(signed).toEqual([5_000])
  const closing = new AbortController()
  closing.abort()
  await round(closing.signal)
  expect(signed).toEqual([5_000, 5_000])
})
