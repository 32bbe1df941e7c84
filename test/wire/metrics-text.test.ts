import { expect, test } from 'vitest'
import { newExchangeCounts, outcomeOf } from '../../lib/domain/exchange-counts.ts'
import { metricsText } from '../../lib/wire/metrics-text.ts'

const HEALTH = {
  residentBytes: 1,
  heapUsedBytes: 2,
  cpuSeconds: 0.5,
  startedAtSeconds: 3,
  loopDelay: { windowSeconds: 10, p50: 0.001, p99: 0.002, max: 0.003 },
}

test('the text is what Prometheus reads: HELP, TYPE, then the samples of that family, each on a line of its own', () => {
  const counts = newExchangeCounts()
  counts.exchanges.issued = 7
  const text = metricsText(counts, HEALTH)
  expect(text).toMatch(
    /# HELP mintmark_exchanges_total .+\n# TYPE mintmark_exchanges_total counter\nmintmark_exchanges_total\{outcome="issued"\} 7\n/,
  )
  expect(text.endsWith('\n')).toBe(true)
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{[a-z_]+="[a-z0-9_.]+"\})? [0-9.]+)$/)
})

test('a series is there before it has counted anything: a rate over it must not begin at its first event', () => {
  expect(metricsText(newExchangeCounts(), HEALTH)).toContain('mintmark_exchanges_total{outcome="unavailable"} 0\n')
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
