// Rates (attacks §6). May be approximate; a limiter that fails allows (fail soft), unlike replay and revocation.
export type Taken = { readonly allowed: boolean; readonly retryAfterSeconds: number }

export interface RateLimiter {
  /** Takes one from the bucket: `rate` is [per second, burst]. */
  take(bucket: string, rate: readonly [perSecond: number, burst: number]): Taken | Promise<Taken>
}

/** One that counts in this process alone, and answers at once. */
export interface LocalRates extends RateLimiter {
  take(bucket: string, rate: readonly [perSecond: number, burst: number]): Taken
}
