// Counters as Prometheus reads them: text exposition format 0.0.4. Names and labels are constants of this file and of the
// tables behind ExchangeCounts, so there is nothing to escape. Pure.
import type { ExchangeCounts } from '../domain/exchange-counts.ts'

/** What the process says of itself. Bytes, and seconds. */
export type ProcessHealth = {
  readonly residentBytes: number
  readonly heapUsedBytes: number
  readonly cpuSeconds: number
  readonly startedAtSeconds: number
  /** Delay of the event loop over the last whole window. */
  readonly loopDelay: {
    readonly windowSeconds: number
    readonly p50: number
    readonly p99: number
    readonly max: number
  }
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

type Family = {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** The label, its values and theirs; or one value without a label. */
  readonly samples: number | { readonly label: string; readonly values: Readonly<Record<string, number>> }
}

export const metricsText = (counts: ExchangeCounts, health: ProcessHealth): string =>
  families(counts, health)
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...(typeof samples === 'number'
        ? [`${name} ${samples}`]
        : Object.entries(samples.values).map(([value, count]) => `${name}{${samples.label}="${value}"} ${count}`)),
    ])
    .map((line) => `${line}\n`)
    .join('')

const families = (counts: ExchangeCounts, health: ProcessHealth): readonly Family[] => [
  {
    name: 'mintmark_exchanges_total',
    type: 'counter',
    help: 'Requests to token endpoints that were answered, by outcome.',
    samples: { label: 'outcome', values: counts.exchanges },
  },
  {
    name: 'mintmark_denials_total',
    type: 'counter',
    help: 'Denials sent to the record, by what the caller was told.',
    samples: { label: 'reason', values: counts.denials },
  },
  {
    name: 'mintmark_exchanges_in_flight',
    type: 'gauge',
    help: 'Requests to token endpoints being served now.',
    samples: counts.inFlight,
  },
  {
    name: 'mintmark_event_loop_delay_seconds',
    type: 'gauge',
    help: `Delay of the event loop over the last whole ${health.loopDelay.windowSeconds} s.`,
    samples: {
      label: 'quantile',
      values: { '0.5': health.loopDelay.p50, '0.99': health.loopDelay.p99, '1': health.loopDelay.max },
    },
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory.',
    samples: health.residentBytes,
  },
  {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    help: 'JavaScript heap in use.',
    samples: health.heapUsedBytes,
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'User and system processor time.',
    samples: health.cpuSeconds,
  },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the process started, Unix time.',
    samples: health.startedAtSeconds,
  },
]
