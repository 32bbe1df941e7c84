// What waited for one thing, done a few a turn of the event loop: however many waited, whoever else is there has a turn in between.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LIMITS } from '../../lib/domain/limits.ts'

/** Done at once where nothing waits, else behind what does. `work` must not throw: it would end the process. */
export const createInTurns = (): ((work: () => void) => void) => {
  let waiting: (() => void)[] = []
  let isRunning = false
  const run = async (): Promise<void> => {
    isRunning = true
    while (waiting.length > 0) {
      const some = waiting.slice(0, LIMITS.answersPerTurn)
      waiting = waiting.slice(some.length)
      for (const work of some) work()
      await nextTurn()
    }
    isRunning = false
  }
  return (work) => {
    waiting.push(work)
    if (!isRunning) void run()
  }
}
