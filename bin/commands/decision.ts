// `mintmark decision ID`: why a past request was allowed or denied, from the record. Conditions are judged again under the
// configuration version the decision was made under, on the normalized leaves the record keeps.
import { getuid } from 'node:process'
import { createLookUps } from '../../lib/adapters/sqlite/change-feed.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import type { Explanation } from '../../lib/domain/explain.ts'
import type { Denial, GrantRecord, StoredDecision } from '../../lib/domain/grant-record.ts'
import { describeRefusal } from '../../lib/domain/offline-decision.ts'
import { explainDecision } from '../../lib/flows/explain-decision.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { compileStored, placeOf } from '../embedded/compile.ts'
import { openDatabaseBeside } from '../embedded/open-store.ts'
import { conditionLines } from '../policy/condition-lines.ts'
import { painter } from '../policy/paint.ts'
import { printable } from '../printable.ts'
import { AFAR_OPTIONS, readAfar } from '../remote/call-tenant.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark decision ID --data DIR [--tenant T] [--json]
       mintmark decision ID --tenant-url URL --token-file F [--dpop-key F] [--json]

Shows a past decision from the store: the outcome, its private reason, and every condition of every candidate grant with
what was expected and what was there. Safe beside a running broker. Exit: 0 found, 1 there is no such
decision, 2 wrong usage, 3 unavailable.
`

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    data: { type: 'string' },
    tenant: { type: 'string' },
    ...AFAR_OPTIONS,
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const [id, ...more] = positionals
  if (id === undefined || more.length > 0) throw new UsageError('decision takes one decision id')
  const afar = readAfar(values)
  if (afar !== null) {
    const answered = await afar.call(`admin/decisions/${encodeURIComponent(id)}`)
    if (!answered.ok) return reportProblem(io, 'decision', answered.problem, values.json)
    const { decision, explanation } = answered.value as unknown as Told
    if (values.json) io.stdout.write(`${JSON.stringify({ ...decision, explanation }, null, 2)}\n`)
    else print(io, decision, explanation)
    return 0
  }
  const opened = openDatabaseBeside(required(values.data, 'data'))
  if (!opened.ok) return reportProblem(io, 'decision', { kind: 'unavailable', says: opened.problem }, values.json)
  const { database } = opened
  try {
    const found = await createDecisionLookup(database).find(id, values.tenant ?? null)
    if (found === null) {
      const says = `there is no decision ${JSON.stringify(id)} here`
      return reportProblem(io, 'decision', { kind: 'refused', says }, values.json)
    }
    const tenant = tenantOf(found)
    // Before it is shown: nobody reads a decision without leaving a trace (design P8).
    if (tenant !== null)
      await createLookUps(database).tell({
        tenant,
        decisionId: id,
        by: `uid:${getuid?.() ?? -1}`,
        atSeconds: systemClock.nowSeconds(),
      })
    const explanation = await explainDecision(
      {
        configs: createTenantConfigStore(database),
        compile: (version) => compileStored(version, placeOf(database, version)),
      },
      found,
    )
    if (values.json) io.stdout.write(`${JSON.stringify({ ...found, explanation }, null, 2)}\n`)
    else print(io, found, explanation)
    return 0
  } finally {
    database.close()
  }
}

type Told = { readonly decision: StoredDecision; readonly explanation: Explanation | null }

/** Null: the decision is of no tenant, or of no single one. */
const tenantOf = (found: StoredDecision): string | null => {
  const { tenant } = found.kind === 'allow' ? found.record : found.kind === 'deny' ? found.denial : found.rollUp
  return tenant === '' || tenant === '*' ? null : tenant
}

const print = (io: Io, found: StoredDecision, explanation: Explanation | null): void => {
  const paint = painter(io)
  const { good, bad, dim, bold } = paint
  const say = (text = '') => void io.stdout.write(`${text}\n`)
  const fact = (name: string, value: unknown) => say(`  ${dim(name.padEnd(10))} ${printable(String(value))}`)
  if (found.kind === 'rolled_up') {
    const { kind, tenant, minute, source, count } = found.rollUp
    say(`${bad('denied')} ${bold(kind)}: one of ${count} alike, kept as a count`)
    fact('tenant', tenant)
    fact('minute', new Date(minute * 60_000).toISOString())
    fact('source', source)
    return
  }
  if (found.kind === 'allow') printAllow(found.record, found.notIssued === null, { say, fact, good, bad, bold })
  else printDenial(found.denial, { say, fact, good, bad, bold })
  if (explanation === null) return
  const linesOf = conditionLines(explanation.rows, paint)
  for (const grant of new Set(explanation.rows.map((row) => row.grant))) {
    const rows = explanation.rows.filter((row) => row.grant === grant)
    const verdict = rows.every(({ holds }) => holds) ? good('matches') : bad('does not match')
    const mode = explanation.reportOnly.includes(grant) ? dim(' (report: recorded, never issued)') : ''
    say(`\n${bold(`Grant ${grant}`)} ${verdict}${mode}`)
    for (const line of linesOf(grant)) say(line)
  }
  const { nearest } = explanation
  // One that matches was not denied by its conditions.
  if (found.kind === 'deny' && nearest !== null && nearest.held < nearest.of)
    say(`\nNearest: ${nearest.grant}, ${nearest.held} of ${nearest.of} conditions hold`)
}

type Printer = {
  readonly say: (text?: string) => void
  readonly fact: (name: string, value: unknown) => void
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly bold: (text: string) => string
}

const printAllow = (record: GrantRecord, isIssued: boolean, { say, fact, good, bad, bold }: Printer): void => {
  say(
    isIssued
      ? `${good('allowed')} by grant ${bold(record.grant)}`
      : `${bad('allowed, then not issued')} (grant ${record.grant})`,
  )
  fact('decision', record.decisionId)
  fact('at', new Date(record.atSeconds * 1000).toISOString())
  fact('tenant', `${record.tenant}, configuration version ${record.configVersion}`)
  fact('trace', record.traceId)
  if (record.source !== undefined) fact('source', record.source)
  fact('evidence', `${record.evidence.issuerName} (${record.evidence.issuer}), key ${record.evidence.kid}`)
  fact('run', record.wid['run.id'] ?? '-')
  fact('identity', record.credential.sub)
  fact('audience', record.credential.aud)
  fact('scope', record.credential.scope)
  fact('jti', record.credential.jti)
  fact('expires', new Date(record.credential.exp * 1000).toISOString())
}

const printDenial = (denial: Denial, { say, fact, bad, bold }: Printer): void => {
  say(`${bad('denied')} ${bold(denial.refusal.kind)}: ${describeRefusal(denial.refusal)}`)
  fact('decision', denial.decisionId)
  fact('at', new Date(denial.atSeconds * 1000).toISOString())
  fact(
    'tenant',
    denial.configVersion === null ? denial.tenant : `${denial.tenant}, configuration version ${denial.configVersion}`,
  )
  fact('trace', denial.traceId)
  fact('source', denial.source)
  fact(
    'evidence',
    denial.issuerName === null ? 'issuer unknown' : `${denial.issuerName}${denial.verified ? '' : ', not verified'}`,
  )
  if (denial.target)
    fact(
      'asked for',
      [
        denial.target.audience ?? 'no audience',
        denial.target.scope,
        denial.target.grant && `grant ${denial.target.grant}`,
      ]
        .filter(Boolean)
        .join(', '),
    )
  if (denial.firstDecisionId !== null) fact('first used', denial.firstDecisionId)
}
