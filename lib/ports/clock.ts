// Time, as an argument (house style 5). Wall time judges evidence; monotonic time measures ages and rates.
export interface Clock {
  /** Epoch seconds, an integer. */
  nowSeconds(): number
  /** Epoch milliseconds. */
  nowMs(): number
  /** Milliseconds that only rise, from an arbitrary start; unmoved by steps of the wall clock. */
  monotonicMs(): number
}
