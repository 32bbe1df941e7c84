// The highest time any process has seen, in a row. Raising it costs the request nothing: a timer writes it.
import type { TimeMark } from '../../ports/grant-store.ts'
import type { Database } from './database.ts'

const WRITE_MS = 1_000
const READ = 'SELECT highest_seconds FROM time_mark'
const RAISE = `INSERT INTO time_mark (id, highest_seconds) VALUES (1, ?1)
  ON CONFLICT (id) DO UPDATE SET highest_seconds = max(highest_seconds, ?1) RETURNING highest_seconds`

export type RunningTimeMark = TimeMark & {
  /** Writes what is not written yet and exchanges marks with the other processes. The timer does it every second. */
  readonly flush: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Throws Unavailable when the mark cannot be read: a broker must not start without knowing the time it has seen. */
export const startTimeMark = (database: Database): RunningTimeMark => {
  const read = (): number => Number(database.read((sql) => sql(READ).get())?.['highest_seconds'] ?? 0)
  let highest = read()
  let stored = highest

  const flush = async (): Promise<void> => {
    const wanted = highest
    stored =
      wanted > stored ? await database.write((sql) => Number(sql(RAISE).get(wanted)?.['highest_seconds'])) : read()
    highest = Math.max(highest, stored)
  }
  const timer = setInterval(() => {
    // Unavailable now: what is in memory stands, and the next tick tries again.
    flush().catch(() => undefined)
  }, WRITE_MS)
  timer.unref()

  return {
    highestSeconds: () => highest,
    raise(nowSeconds) {
      // The store's own clock is this machine's: there is no other to be ahead of.
      if (nowSeconds > highest) highest = nowSeconds
      return true
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush().catch(() => undefined)
    },
  }
}
