// The bench's report as text: what a table of ratios must be read with, then the table. Numbers are reported, never asserted.
import type { MemoryReport } from './memory.ts'
import type { ScalePoint } from './scale.ts'
import type { StageReport } from './stages.ts'
import type { Spread, TargetReport } from './windows.ts'

export type BenchReport = {
  readonly node: string
  readonly isPinned: boolean
  readonly isShort: boolean
  readonly fdatasyncMicros: number
  readonly targets: readonly TargetReport[]
  readonly goals: readonly {
    readonly name: string
    readonly goal: string
    readonly value: number | null
    readonly reached: boolean | null
  }[]
  readonly memory: MemoryReport | null
  readonly scale: readonly ScalePoint[]
  readonly stages: readonly StageReport[]
  readonly warnings: readonly string[]
}

const GENERATOR_SHARE_MAX = 0.7
const SERVER_SHARE_MIN = 0.9

const three = (s: Spread): string => `${s.median.toFixed(3)} [${s.p10.toFixed(3)}..${s.p90.toFixed(3)}]`
const percent = (share: number | null): string => (share === null ? '?' : `${Math.round(share * 100)}%`)
const micros = (value: number | null): string => (value === null ? '?' : value.toFixed(1))

/** What makes a row unfit to quote. */
export const warningsOf = (targets: readonly TargetReport[], isPinned: boolean): readonly string[] => {
  const warnings = isPinned ? [] : ['no taskset or one core: nothing was pinned, ratios are rough']
  for (const { name, generatorShare, serverShare, failures } of targets) {
    if (generatorShare >= GENERATOR_SHARE_MAX)
      warnings.push(`${name}: generator at ${percent(generatorShare)} of its core, may be the limit itself`)
    if (serverShare === null || serverShare < SERVER_SHARE_MIN)
      warnings.push(`${name}: server at ${percent(serverShare)} of its core, was not saturated`)
    if (Object.keys(failures).length > 0)
      warnings.push(`${name}: not all answers were 200: ${JSON.stringify(failures)}`)
  }
  return warnings
}

const targetRows = (targets: readonly TargetReport[]): string[] => [
  'target          x floor [p10..p90]       CPU x floor   req/s    p50 ms  p99 ms  us/req  server  generator',
  ...targets.map((t) =>
    [
      t.name.padEnd(15),
      three(t.ratio).padEnd(24),
      (t.cpuCost === null ? '?' : t.cpuCost.median.toFixed(2)).padEnd(13),
      t.perSecond.median.toFixed(0).padEnd(8),
      t.p50Ms.toFixed(2).padEnd(7),
      t.p99Ms.toFixed(2).padEnd(7),
      micros(t.cpuMicros).padEnd(7),
      percent(t.serverShare).padEnd(7),
      percent(t.generatorShare),
    ].join(' '),
  ),
]

const scaleRow = (p: ScalePoint): string => {
  const size = `  ${p.tenants} tenants, ${p.records} stored records:`
  if (p.report === null) return `${size} ${p.note}`
  const cost = p.report.cpuCost === null ? '?' : three(p.report.cpuCost)
  return `${size} CPU x floor ${cost}, ratio ${three(p.report.ratio)}, p99 ${p.report.p99Ms.toFixed(1)} ms, start ${p.startMs?.toFixed(0)} ms`
}

export const formatScale = (points: readonly ScalePoint[]): string =>
  ['scale (goal: CPU x floor within 10 %, reported)', ...points.map(scaleRow), ''].join('\n')

export const formatReport = (report: BenchReport): string => {
  const { memory, scale, stages, goals, warnings } = report
  const lines = [
    'stages, us',
    ...stages.map((s) => `  ${s.name.padEnd(32)} ${micros(s.micros).padStart(7)}  ${s.note}`),
    '',
    ...(scale.length > 0 ? [formatScale(scale)] : []),
    // Last, with the goals: of a long output the end is what is kept.
    `${report.node}, ${report.isPinned ? 'server on core 0, generator on core 1' : 'not pinned'}, 32 connections, fdatasync p50 ${report.fdatasyncMicros.toFixed(0)} us`,
    '',
    ...targetRows(report.targets),
    '',
    'goals (reported, not asserted)',
    ...goals.map(
      (g) =>
        `  ${g.name}: ${g.value === null ? 'not measured' : g.value.toFixed(3)} (goal ${g.goal}) ${g.reached === null ? '' : g.reached ? 'reached' : 'MISSED'}`,
    ),
  ]
  if (memory !== null)
    lines.push(
      '',
      `memory: ${memory.megabytes?.toFixed(0) ?? '?'} MB RSS after ${memory.exchanges} exchanges, ${memory.failed} failed`,
    )
  if (warnings.length > 0) lines.push('', ...warnings.map((warning) => `WARNING ${warning}`))
  return `${lines.join('\n')}\n`
}
