// Memory, processor time and event-loop delay of this process. The delay is that of the last whole window, so that any number
// of scrapers see the same and none resets it for another.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ProcessHealth } from '../../wire/metrics-text.ts'

const WINDOW_SECONDS = 10
const RESOLUTION_MS = 10

export const startProcessHealth = (): { readonly read: () => ProcessHealth; readonly close: () => void } => {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  let loopDelay = { windowSeconds: WINDOW_SECONDS, p50: 0, p99: 0, max: 0 }
  const timer = setInterval(() => {
    loopDelay = delayOf(histogram)
    histogram.reset()
  }, WINDOW_SECONDS * 1000)
  timer.unref()
  const startedAtSeconds = Date.now() / 1000 - process.uptime()
  return {
    read() {
      const { rss, heapUsed } = process.memoryUsage()
      const { user, system } = process.cpuUsage()
      return {
        residentBytes: rss,
        heapUsedBytes: heapUsed,
        cpuSeconds: (user + system) / 1e6,
        startedAtSeconds,
        loopDelay,
      }
    },
    close() {
      clearInterval(timer)
      histogram.disable()
    },
  }
}

/** The timer's own period is not delay: what is above the resolution is. */
const delayOf = (histogram: ReturnType<typeof monitorEventLoopDelay>): ProcessHealth['loopDelay'] => {
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000)
  return {
    windowSeconds: WINDOW_SECONDS,
    p50: seconds(histogram.percentile(50)),
    p99: seconds(histogram.percentile(99)),
    max: seconds(histogram.max),
  }
}
