// Readings as CloudWatch counts them: embedded metric format (EMF), the fields of one log line a series. Tenants are no dimension:
// every combination of dimensions is a metric that is paid for by itself, and the audit log has them. Pure.
import { METRICS, type MetricDefinition } from '../domain/metrics.ts'
import type { Reading } from '../domain/reading.ts'

const NAMESPACE = 'Mintmark'

/** CloudWatch takes no more values of one metric in a line. */
export const EMF_VALUES_MAX = 100

/** `mintmark.denials` is `denials` in the namespace Mintmark; a name of OpenTelemetry's own stays whole. */
export const cloudWatchName = ({ name }: MetricDefinition): string => name.replace(/^mintmark\./, '')

/** Dimensions behind `function`. */
export const cloudWatchDimensions = ({ labels }: MetricDefinition): readonly string[] =>
  labels.filter((label) => label !== 'tenant')

export type EmfFields = Readonly<Record<string, unknown>>

/** Only what counted something. `readings` are what happened since the last time, not sums since the start. */
export const emfFields = (readings: readonly Reading[], functionName: string, timestampMs: number): EmfFields[] =>
  sumsOfTenants(readings).flatMap(({ definition, labels, values }) => {
    const name = cloudWatchName(definition)
    const dimensions = cloudWatchDimensions(definition)
    const of = Object.fromEntries(dimensions.map((label, at) => [label, labels[at] ?? '']))
    const metric = { Name: name, Unit: definition.unit === 's' ? 'Seconds' : 'Count' }
    return chunksOf(values, EMF_VALUES_MAX).map((chunk) => ({
      function: functionName,
      ...of,
      [name]: chunk.length === 1 ? chunk[0] : chunk,
      _aws: {
        Timestamp: timestampMs,
        CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [['function', ...dimensions]], Metrics: [metric] }],
      },
    }))
  })

type Sum = {
  readonly definition: MetricDefinition
  readonly labels: readonly string[]
  /** One, or what a histogram kept. */
  readonly values: number[]
}

const sumsOfTenants = (readings: readonly Reading[]): Sum[] => {
  const sums = new Map<string, Sum>()
  for (const { metric, labels, value } of readings) {
    const definition: MetricDefinition = METRICS[metric]
    const isCounted = definition.onLambda === true && (typeof value === 'number' ? value > 0 : value.sum > 0)
    if (!isCounted) continue
    const rest = labels.filter((_, at) => definition.labels[at] !== 'tenant')
    const key = [metric, ...rest].join(' ')
    const sum = sums.get(key) ?? { definition, labels: rest, values: [] }
    sums.set(key, sum)
    if (typeof value !== 'number') sum.values.push(...(value.values ?? []))
    else sum.values[0] = (sum.values[0] ?? 0) + value
  }
  return [...sums.values()]
}

const chunksOf = (values: readonly number[], size: number): number[][] =>
  Array.from({ length: Math.ceil(values.length / size) }, (_, at) => values.slice(at * size, (at + 1) * size))
