// Monotonic time and timers that move only when they are told to.
export const manualTime = () => {
  let nowMs = 0
  const timers: { readonly atMs: number; readonly run: () => void }[] = []
  return {
    monotonicMs: () => nowMs,
    after(ms: number, run: () => void): void {
      timers.push({ atMs: nowMs + ms, run })
    },
    /** Runs what becomes due on the way, each at its own moment. */
    pass(ms: number): void {
      const untilMs = nowMs + ms
      for (;;) {
        timers.sort((a, b) => a.atMs - b.atMs)
        const next = timers[0]
        if (next === undefined || next.atMs > untilMs) break
        timers.shift()
        nowMs = Math.max(nowMs, next.atMs)
        next.run()
      }
      nowMs = untilMs
    },
  }
}
