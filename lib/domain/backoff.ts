// How long to wait before what failed is tried again: exponential, with full jitter, so that many that failed together do not
// come back together. Pure.

export type BackoffPolicy = { readonly baseMs: number; readonly maxMs: number }

/** `attempt`: 1 after the first failure. `random`: in [0, 1). Whole milliseconds below `min(maxMs, baseMs * 2 ** attempt)`. */
export const backoffMs = (attempt: number, { baseMs, maxMs }: BackoffPolicy, random: number): number =>
  Math.floor(random * Math.min(maxMs, baseMs * 2 ** attempt))
