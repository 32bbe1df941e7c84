// Readings as Prometheus reads them: text exposition format 0.0.4, names as OpenTelemetry maps its own to Prometheus'. Label
// values are names of registered configuration and constants: nothing in them needs escaping. Pure.
import { METRICS, type MetricDefinition, type MetricKey } from '../domain/metrics.ts'
import type { Histogram, Reading } from '../domain/reading.ts'

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const SUFFIX: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' }

/** `mintmark.feed.lag` in `s` is `mintmark_feed_lag_seconds`; a counter ends in `_total`. */
export const prometheusName = ({ name, unit, kind }: MetricDefinition): string =>
  `${name.replaceAll('.', '_')}${SUFFIX[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`

const labelText = (names: readonly string[], values: readonly string[]): string =>
  names.map((name, at) => `${name}="${values[at] ?? ''}"`).join(',')

const series = (name: string, labels: string, value: number): string =>
  `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`

export const metricsText = (readings: readonly Reading[]): string => {
  const families = Map.groupBy(readings, ({ metric }) => metric)
  return (Object.keys(METRICS) as MetricKey[])
    .filter((metric) => families.has(metric))
    .map((metric) => familyText(METRICS[metric], families.get(metric) ?? []))
    .join('')
}

const familyText = (definition: MetricDefinition, readings: readonly Reading[]): string => {
  const name = prometheusName(definition)
  const lines = readings.map(({ labels, value }) => {
    const text = labelText(definition.labels, labels)
    return typeof value === 'number' ? series(name, text, value) : histogramText(name, text, value)
  })
  return `# HELP ${name} ${definition.says}\n# TYPE ${name} ${definition.kind}\n${lines.join('')}`
}

const histogramText = (name: string, labels: string, { bounds, counts, sum }: Histogram): string => {
  let below = 0
  const buckets = counts.map((count, at) => {
    below += count
    return series(`${name}_bucket`, `${labels},le="${bounds[at] ?? '+Inf'}"`, below)
  })
  return `${buckets.join('')}${series(`${name}_sum`, labels, sum)}${series(`${name}_count`, labels, below)}`
}
