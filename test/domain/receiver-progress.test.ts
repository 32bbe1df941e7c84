// How far a receiver is, against a set of numbers: whatever is answered in whichever order, what is owed is what was not taken.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  countOwed,
  newlyKnown,
  owedOf,
  type ReceiverProgress,
  withAnswers,
} from '../../lib/domain/receiver-progress.ts'

const START: ReceiverProgress = { answered: 0, open: [] }
const HEAD = 12
const isRefusal = (problem: string) => problem === 'invalid_key'
const look = { head: HEAD, max: 99, isRefusal }

const answers = fc.array(
  fc.record({
    seq: fc.integer({ min: 1, max: HEAD }),
    problem: fc.constantFrom(null, null, 'invalid_key', 'status'),
  }),
  { maxLength: 6 },
)

test('what is owed is what was not taken, each number once, and the count of it', () => {
  fc.assert(
    fc.property(fc.array(answers, { maxLength: 8 }), (rounds) => {
      const owed = new Map<number, string | null>(Array.from({ length: HEAD }, (_, at) => [at + 1, null]))
      let progress = START
      for (const [atSeconds, round] of rounds.entries()) {
        progress = withAnswers(progress, round, { atSeconds, openMax: 99 })
        for (const { seq, problem } of round.toSorted((a, b) => a.seq - b.seq)) {
          if (!owed.has(seq)) continue
          if (problem === null) owed.delete(seq)
          else owed.set(seq, problem)
        }
      }
      const found = owedOf(progress, look)
      expect(new Map(found.map(({ seq, problem }) => [seq, problem]))).toEqual(owed)
      expect([found.length, countOwed(progress, HEAD)]).toEqual([owed.size, owed.size])
      // In order, and what was refused behind the rest.
      const rest = found.filter(({ problem }) => problem === null || !isRefusal(problem))
      expect(found.slice(0, rest.length)).toEqual(rest)
      expect(rest.map(({ seq }) => seq)).toEqual(rest.map(({ seq }) => seq).toSorted((a, b) => a - b))
    }),
  )
})

test('thousands that were passed over are one range, and those who are asked for first come first', () => {
  const progress = withAnswers(START, [{ seq: 100_000, problem: null }], { atSeconds: 1, openMax: 2 })
  expect(progress).toEqual({ answered: 100_000, open: [{ from: 1, to: 99_999, problem: null, atSeconds: 1 }] })
  expect(owedOf(progress, { ...look, head: 100_000, max: 2 }).map(({ seq }) => seq)).toEqual([1, 2])
  expect(countOwed(progress, 100_001)).toBe(100_000)
})

test('an answer that would need more room than there is counts as lost: its number is owed, and no other is', () => {
  const full = withAnswers(
    START,
    [1, 3, 5].map((seq) => ({ seq, problem: 'invalid_key' })),
    { atSeconds: 1, openMax: 3 },
  )
  expect(full.open).toHaveLength(3)
  // 2 was passed over by 3; for 5 there was no room.
  expect(owedOf(full, { ...look, head: 5 }).map(({ seq }) => seq)).toEqual([2, 4, 5, 1, 3])
  const next = withAnswers(full, [{ seq: 2, problem: null }], { atSeconds: 2, openMax: 3 })
  expect(owedOf(next, { ...look, head: 5 }).map(({ seq }) => seq)).toEqual([4, 5, 1, 3])
})

test('something new is said once of each number: that it was not taken, and that it was; what found no room is not said', () => {
  fc.assert(
    fc.property(fc.array(answers, { maxLength: 8 }), fc.integer({ min: 1, max: 6 }), (rounds, openMax) => {
      const said: string[] = []
      let progress = START
      for (const [atSeconds, round] of rounds.entries()) {
        const once = [...new Map(round.map((answer) => [answer.seq, answer])).values()]
        const after = withAnswers(progress, once, { atSeconds, openMax })
        for (const { seq, problem } of newlyKnown(progress, after, once)) {
          said.push(`${seq} ${problem === null ? 'has' : 'has not'}`)
          expect(owedOf(after, { ...look, max: 99 }).some((owed) => owed.seq === seq)).toBe(problem !== null)
        }
        progress = after
      }
      expect(new Set(said).size).toBe(said.length)
      const owed = owedOf(progress, look).map(({ seq }) => seq)
      for (let seq = 1; seq <= progress.answered; seq += 1)
        expect(said.includes(`${seq} has`)).toBe(!owed.includes(seq))
    }),
  )
})
