// How far a receiver is, in one small value: the highest number it answered, and what it does not have of the numbers up to that.
// A store that keeps this as one row moves it by compare-and-set. Pure.

/** Numbers it does not have, from and to included. `problem` null: they were passed over, and nothing is known of them. */
export type OpenRange = {
  readonly from: number
  readonly to: number
  readonly problem: string | null
  readonly atSeconds: number
}

/** INVARIANT: what is owed is all in `open`, and all above `answered`. Ranges are apart and in order; one with a problem is of one number. */
export type ReceiverProgress = { readonly answered: number; readonly open: readonly OpenRange[] }

type Answer = { readonly seq: number; readonly problem: string | null }

/**
 * With answers, in order of their numbers. One that would take more than `openMax` ranges is left out, as if it were lost on the way:
 * what it is about is owed as before. What was taken stays taken, whatever is said of it later.
 */
export const withAnswers = (
  progress: ReceiverProgress,
  answers: readonly Answer[],
  { atSeconds, openMax }: { readonly atSeconds: number; readonly openMax: number },
): ReceiverProgress =>
  answers
    .toSorted((a, b) => a.seq - b.seq)
    .reduce((before, answer) => {
      const after = withAnswer(before, answer, atSeconds)
      return after.open.length > Math.max(openMax, before.open.length) ? before : after
    }, progress)

const withAnswer = ({ answered, open }: ReceiverProgress, { seq, problem }: Answer, at: number): ReceiverProgress => {
  const said: OpenRange[] = problem === null ? [] : [{ from: seq, to: seq, problem, atSeconds: at }]
  if (seq > answered) {
    const passed = seq - 1 > answered ? [{ from: answered + 1, to: seq - 1, problem: null, atSeconds: at }] : []
    return { answered: seq, open: [...open, ...passed, ...said] }
  }
  return {
    answered,
    open: open.flatMap((range) => {
      const { from, to } = range
      if (seq < from || seq > to) return [range]
      const below = from < seq ? [{ ...range, to: seq - 1 }] : []
      const above = seq < to ? [{ ...range, from: seq + 1 }] : []
      return [...below, ...said, ...above]
    }),
  }
}

/** What is owed, at most `max`: passed over, then new, then refused, the one tried longest ago first. `isRefusal`: of one SET alone. */
export const owedOf = (
  { answered, open }: ReceiverProgress,
  { head, max, isRefusal }: { readonly head: number; readonly max: number; readonly isRefusal: (p: string) => boolean },
): readonly { readonly seq: number; readonly problem: string | null }[] => {
  const isRefused = ({ problem }: OpenRange): boolean => problem !== null && isRefusal(problem)
  const refused = open.filter(isRefused).toSorted((a, b) => a.atSeconds - b.atSeconds || a.from - b.from)
  const fresh = { from: answered + 1, to: head, problem: null }
  const owed: { readonly seq: number; readonly problem: string | null }[] = []
  for (const { from, to, problem } of [...open.filter((range) => !isRefused(range)), fresh, ...refused])
    for (let seq = from; seq <= to && owed.length < max; seq += 1) owed.push({ seq, problem })
  return owed
}

/** Of answers those that say something new: that it has one, or the first time that it has not taken one. `after`: what they made. */
export const newlyKnown = <A extends Answer>(
  before: ReceiverProgress,
  after: ReceiverProgress,
  answers: readonly A[],
): readonly A[] =>
  answers.filter(({ seq, problem }) => {
    const was = standing(before, seq)
    const is = standing(after, seq)
    return problem === null ? was !== 'taken' && is === 'taken' : was === 'owed' && is === 'failed'
  })

const standing = ({ answered, open }: ReceiverProgress, seq: number): 'taken' | 'owed' | 'failed' => {
  const range = open.find(({ from, to }) => seq >= from && seq <= to)
  if (range === undefined) return seq > answered ? 'owed' : 'taken'
  return range.problem === null ? 'owed' : 'failed'
}

/** How many it does not have, of `head` that there are. */
export const countOwed = ({ answered, open }: ReceiverProgress, head: number): number =>
  Math.max(0, head - answered) + open.reduce((sum, { from, to }) => sum + to - from + 1, 0)
