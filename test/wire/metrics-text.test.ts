import { expect, test } from 'vitest'
import {
  countAnswer,
  countsOf,
  exchangeReadings,
  newExchangeCounts,
  outcomeOf,
} from '../../lib/domain/exchange-counts.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { METRICS, type MetricDefinition, type MetricKey } from '../../lib/domain/metrics.ts'
import { reading } from '../../lib/domain/reading.ts'
import { metricsText, prometheusName } from '../../lib/wire/metrics-text.ts'

const everyone = () => true

test('the text is what Prometheus reads: HELP, TYPE, then the samples of that family, each on a line of its own', () => {
  const counts = newExchangeCounts()
  countAnswer(counts, countsOf(counts, 'acme', everyone), 200, 0.004)
  const text = metricsText(exchangeReadings(counts))
  expect(text).toMatch(
    /# HELP mintmark_exchanges_total .+\n# TYPE mintmark_exchanges_total counter\nmintmark_exchanges_total\{tenant="acme",outcome="issued"\} 1\n/,
  )
  expect(text.endsWith('\n')).toBe(true)
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{(?:[a-z_]+="[^"\\]*",?)+\})? [0-9.]+)$/)
})

test('buckets are cumulative, end in +Inf, and agree with the count: a quantile over others would be wrong', () => {
  const counts = newExchangeCounts()
  const of = countsOf(counts, 'acme', everyone)
  for (const seconds of [0.001, 0.3, 0.301, 11]) countAnswer(counts, of, 200, seconds)
  const of200 = metricsText(exchangeReadings(counts))
    .split('\n')
    .filter((line) => line.startsWith('http_server_request_duration_seconds') && line.includes('"200"'))
  const bucket = (bound: string) => of200.find((line) => line.includes(`le="${bound}"`))?.split(' ')[1]
  expect(['0.005', '0.2', '0.3', '0.5', '10', '+Inf'].map(bucket)).toEqual(['1', '1', '2', '3', '3', '4'])
  expect(of200.at(-1)).toMatch(/_count\{.*\} 4$/)
  expect(of200.at(-2)).toMatch(/_sum\{.*\} 11\.602$/)
})

test('a series is there before it has counted anything: a rate over it must not begin at its first event', () => {
  const counts = newExchangeCounts()
  countsOf(counts, 'acme', everyone)
  expect(metricsText(exchangeReadings(counts))).toContain(
    'mintmark_exchanges_total{tenant="acme",outcome="unavailable"} 0\n',
  )
})

test('tenants beyond the limit share one series, and who is not registered has none', () => {
  const counts = newExchangeCounts()
  for (let at = 0; at < LIMITS.metricTenantsMax + 50; at += 1) {
    const of = countsOf(counts, `tenant-${at}`, everyone)
    of.exchanges.issued += 1
  }
  countsOf(counts, 'nobody', () => false).exchanges.refused += 1
  const lines = metricsText(exchangeReadings(counts)).split('\n')
  expect(counts.tenants.size).toBe(LIMITS.metricTenantsMax + 2)
  expect(lines).toContain('mintmark_exchanges_total{tenant="_other",outcome="issued"} 50')
  expect(lines).toContain('mintmark_exchanges_total{tenant="_unknown",outcome="refused"} 1')
  expect(lines.join()).not.toContain('nobody')
})

test('names are unique, and those of Prometheus follow from those of OpenTelemetry', () => {
  const names = Object.values(METRICS).map((metric: MetricDefinition) => prometheusName(metric))
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(
    expect.arrayContaining([
      'http_server_request_duration_seconds',
      'process_cpu_seconds_total',
      'mintmark_feed_lag_seconds',
    ]),
  )
})

test.each(Object.keys(METRICS) as MetricKey[])('%s shows as many label values as it has labels', (metric) => {
  const { labels } = METRICS[metric]
  const values = labels.map((_, at) => `v${at}`)
  const text = metricsText([reading(metric, 1, ...values)])
  for (const [at, label] of labels.entries()) expect(text).toContain(`${label}="v${at}"`)
})

test.each([
  [200, 'issued'],
  [400, 'refused'],
  [401, 'refused'],
  [413, 'refused'],
  [429, 'limited'],
  [503, 'unavailable'],
  [500, 'failed'],
] as const)('a status of %i is counted as %s', (status, outcome) => {
  expect(outcomeOf(status)).toBe(outcome)
})
