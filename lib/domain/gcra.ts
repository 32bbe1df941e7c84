// GCRA, the generic cell rate algorithm: one number a bucket, the theoretical arrival time. Pure.

export type GcraVerdict = { readonly allowed: boolean; readonly arrivalMs: number; readonly retryAfterSeconds: number }

/**
 * Takes one from a bucket that refills `perSecond` and holds `burst`. `arrivalMs` is the bucket's state (0 when new).
 * The clock is monotonic: a wall clock set back would give a free burst or a lock-out (attacks §6).
 */
export const gcra = (arrivalMs: number, nowMs: number, perSecond: number, burst: number): GcraVerdict => {
  const incrementMs = 1000 / perSecond
  const toleranceMs = incrementMs * (burst - 1)
  const arrival = Math.max(arrivalMs, nowMs)
  const waitMs = arrival - toleranceMs - nowMs
  if (waitMs > 0) return { allowed: false, arrivalMs, retryAfterSeconds: Math.ceil(waitMs / 1000) }
  return { allowed: true, arrivalMs: arrival + incrementMs, retryAfterSeconds: 0 }
}
