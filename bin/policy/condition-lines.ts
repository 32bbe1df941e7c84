// The conditions of grants, a line each, in columns that stand below each other over all grants shown.
import type { ExplainedRow } from '../../lib/domain/explain.ts'
import type { Paint } from './paint.ts'

/** Longer ones push out what is behind them, and nobody else's. */
const CONDITION_MAX = 24
const EXPECTED_MAX = 60

/** `rows`: all that are shown. Gives the lines of one grant. */
export const conditionLines = (
  rows: readonly ExplainedRow[],
  { good, bad, dim }: Paint,
): ((grant: string) => string[]) => {
  const width = (column: 'condition' | 'expected', max: number): number =>
    Math.min(max, Math.max(0, ...rows.map((row) => row[column].length)))
  const conditions = width('condition', CONDITION_MAX)
  const expected = width('expected', EXPECTED_MAX)
  const line = (row: ExplainedRow): string =>
    `  ${row.holds ? good('✓') : bad('✗')} ${row.condition.padEnd(conditions)}  ${row.expected.padEnd(expected)}  ${dim('actual')} ${row.actual}`
  return (grant) => rows.filter((row) => row.grant === grant).map(line)
}
