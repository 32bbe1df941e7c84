// Memory, processor time and event-loop delay of this process. The delay is that of the last whole window, so that any number
// of scrapers see the same and none resets it for another.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Reading, reading } from '../../domain/reading.ts'

const WINDOW_SECONDS = 10
const RESOLUTION_MS = 10

export const startProcessHealth = (): { readonly read: () => Reading[]; readonly close: () => void } => {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  let delays: readonly (readonly [percentile: string, seconds: number])[] = delaysOf(null)
  const timer = setInterval(() => {
    delays = delaysOf(histogram)
    histogram.reset()
  }, WINDOW_SECONDS * 1000)
  timer.unref()
  const startedAtSeconds = Date.now() / 1000 - process.uptime()
  return {
    read() {
      const { rss, heapUsed } = process.memoryUsage()
      const { user, system } = process.cpuUsage()
      return [
        ...delays.map(([percentile, seconds]) => reading('eventLoopDelay', seconds, percentile)),
        reading('residentMemory', rss),
        reading('heapUsed', heapUsed),
        reading('cpu', (user + system) / 1e6),
        reading('startTime', startedAtSeconds),
      ]
    },
    close() {
      clearInterval(timer)
      histogram.disable()
    },
  }
}

/** The timer's own period is not delay: what is above the resolution is. */
const delaysOf = (histogram: ReturnType<typeof monitorEventLoopDelay> | null) => {
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000)
  return [
    ['50', seconds(histogram?.percentile(50) ?? 0)],
    ['99', seconds(histogram?.percentile(99) ?? 0)],
    ['100', seconds(histogram?.max ?? 0)],
  ] as const
}
