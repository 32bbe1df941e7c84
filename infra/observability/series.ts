// PromQL names out of the table of metrics: no dashboard and no rule spells one by itself.
import { METRICS, type MetricKey } from '../../lib/domain/metrics.ts'
import { prometheusName } from '../../lib/wire/metrics-text.ts'

const named = (metric: MetricKey, suffix: string, matchers: string): string =>
  `${prometheusName(METRICS[metric])}${suffix}${matchers === '' ? '' : `{${matchers}}`}`

/** `mintmark_denials_total{reason="target"}`. `matchers` as PromQL has them. */
export const series = (metric: MetricKey, matchers = ''): string => named(metric, '', matchers)
/** Of a histogram. */
export const bucket = (metric: MetricKey, matchers = ''): string => named(metric, '_bucket', matchers)
export const count = (metric: MetricKey, matchers = ''): string => named(metric, '_count', matchers)

export const ISSUED = 'http_response_status_code="200"'
/** Ours to answer for; what was refused, or over its limit, is the caller's. */
export const FAILURES = 'outcome=~"unavailable|failed"'
export const DESERVING = 'outcome=~"issued|unavailable|failed"'
export const LEAKS = 'event=~"token_leaked|secret_scanning_alert"'
/**
 * Of a counter whose series begin with their first event: `increase` alone sees a series that begins at 1 as one that stands
 * still. Each new series counts as it is until the window has passed.
 */
export const increaseFromFirst = (counter: string, window: string): string =>
  `(increase(${counter}[${window}]) > 0 or (${counter} unless ${counter} offset ${window}))`
