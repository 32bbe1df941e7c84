// Answers that are kept back a while, so that who asks again as soon as they are answered asks less often. A held one costs its
// connection and nothing else: no timer of its own, no request, no turn. They leave one by one, or whoever sent a hundred at once would
// send the next hundred at once too.
import { LIMITS } from '../../lib/domain/limits.ts'

export type HeldAnswers = {
  /** `answer` runs once, later, and at once where the house is closed. The result forgets it: the client left. */
  readonly hold: (answer: () => void) => () => void
  /** Lets all of them go; from now on nothing is held. */
  readonly close: () => void
}

export type Timing = {
  readonly monotonicMs: () => number
  readonly after: (ms: number, run: () => void) => void
}

const PROCESS_TIMING: Timing = {
  monotonicMs: () => performance.now(),
  // Connections keep the process alive, never this.
  after: (ms, run) => void setTimeout(run, ms).unref(),
}

type Held = { readonly dueMs: number; readonly answer: () => void }

/** `max`: of more than these the oldest goes at once. */
export const createHeldAnswers = (max: number, { monotonicMs, after }: Timing = PROCESS_TIMING): HeldAnswers => {
  /** In the order in which they are due. */
  const held = new Set<Held>()
  const [atLeastMs, atMostMs] = LIMITS.heldAnswerMs
  let lastDueMs = 0
  let isOpen = true
  let isWaiting = false

  const letGo = (one: Held): void => {
    held.delete(one)
    one.answer()
  }

  const waitForFirst = (): void => {
    const [first] = held
    if (first === undefined || isWaiting) return
    isWaiting = true
    after(Math.max(0, first.dueMs - monotonicMs()), () => {
      isWaiting = false
      const nowMs = monotonicMs()
      for (const one of held) {
        if (one.dueMs > nowMs) break
        letGo(one)
      }
      waitForFirst()
    })
  }

  return {
    hold(answer) {
      if (!isOpen) {
        answer()
        return () => undefined
      }
      const nowMs = monotonicMs()
      lastDueMs = Math.min(Math.max(nowMs + atLeastMs, lastDueMs + LIMITS.heldAnswerStepMs), nowMs + atMostMs)
      const one = { dueMs: lastDueMs, answer }
      held.add(one)
      // A full house lets the oldest go: connections are never what runs out.
      for (const oldest of held) {
        if (held.size <= max) break
        letGo(oldest)
      }
      waitForFirst()
      return () => held.delete(one)
    },
    close() {
      isOpen = false
      for (const one of held) letGo(one)
    },
  }
}
