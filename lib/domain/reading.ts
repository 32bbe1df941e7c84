// What a metric of the table (metrics.ts) is now: a number, or a histogram that is filled an observation at a time.
import type { MetricKey } from './metrics.ts'

export type Histogram = {
  readonly bounds: readonly number[]
  /** One for each bound, not cumulative, and one for what is above all of them. */
  readonly counts: number[]
  sum: number
  /** What was observed, where that is sent on as it is; null: only counted. */
  readonly values: number[] | null
}

export const newHistogram = (bounds: readonly number[], keepsValues = false): Histogram => ({
  bounds,
  counts: new Array<number>(bounds.length + 1).fill(0),
  sum: 0,
  values: keepsValues ? [] : null,
})

export const observe = (histogram: Histogram, value: number): void => {
  const { bounds, counts, values } = histogram
  let at = 0
  while (at < bounds.length && value > bounds[at]!) at += 1
  counts[at]! += 1
  histogram.sum += value
  values?.push(value)
}

/** One series as it is now. `labels`: values in the order of the table. */
export type Reading = {
  readonly metric: MetricKey
  readonly labels: readonly string[]
  readonly value: number | Histogram
}

export const reading = (metric: MetricKey, value: Reading['value'], ...labels: readonly string[]): Reading => ({
  metric,
  labels,
  value,
})
