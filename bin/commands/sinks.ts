// `mintmark sinks`: how far each sink of a tenant is and what ails it; `test` sends a marked event, `resend` its dead letters. What
// is asked is done by the running broker, over the same connections with the same secrets as events.
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAnchorRecords } from '../../lib/adapters/sqlite/anchor-records.ts'
import { AUDIT } from '../../lib/adapters/sqlite/audit-schema.ts'
import { databasePath } from '../../lib/adapters/sqlite/data-directory.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createSinkBoard, createSinkErrands } from '../../lib/adapters/sqlite/sink-errands.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { done, EXIT_CODES, fail, type Outcome } from '../../lib/client/outcome.ts'
import type { SinkRequest } from '../../lib/domain/admin-request.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { DEAD_LETTER_REASONS, SINK_TROUBLES, type SinkErrand, type SinkStatus } from '../../lib/domain/sink.ts'
import { administerSinks, type SinkAdminAnswer } from '../../lib/flows/audit/administer-sinks.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { loadStoredTenant } from '../policy/stored-tenant.ts'
import { printable } from '../printable.ts'
import { AFAR_HELP, AFAR_OPTIONS, type Afar, readAfar } from '../remote/call-tenant.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark sinks --tenant T --data DIR
       mintmark sinks test [SINK] --tenant T --data DIR
       mintmark sinks dead-letters SINK --tenant T --data DIR
       mintmark sinks resend SINK --tenant T --data DIR

Without more: for each sink how many leaves of the log it has not taken, the age of the oldest of them, when it last took some,
what ails it (a class, nothing of its answer), and its dead letters: events it can never take; and what each anchor has
of the log.
test     sends a marked event (status_code sink_test, id test.<uuid>) over the running broker, and says what became of it;
         without a name to all sinks of the tenant
resend   sends the dead letters again, once their cause is set right; those that are taken are gone from the list

  --base-url URL           of the broker (default: the one it runs with, else what the document's audiences say)
${AFAR_HELP}
Exit: 0 shown, or delivered; 1 no such tenant or sink, or not delivered; 2 wrong usage; 3 no broker did it in time.
`

const POLL_MS = 250
const NO_SINKS = 'the document of this tenant names no sinks\n'

type Ask = (asked: SinkRequest) => Promise<Outcome<SinkAdminAnswer>>

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    tenant: { type: 'string' },
    data: { type: 'string' },
    'base-url': { type: 'string' },
    ...AFAR_OPTIONS,
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const [verb, sink, ...more] = positionals
  const isVerb = verb === 'test' || verb === 'resend' || verb === 'dead-letters'
  const isNamed = sink !== undefined || verb === 'test'
  if (more.length > 0 || (verb !== undefined && !(isVerb && isNamed)))
    throw new UsageError('sinks takes nothing, test, or test, resend or dead-letters and the name of a sink')
  const afar = readAfar(values)
  const wanted = { verb, sink, isJson: values.json, isFromAfar: afar !== null }
  const perform = verb === 'test' && sink === undefined ? testAll : act
  if (afar !== null) return perform(askAfar(afar), wanted, io)
  const opened = await openHere(required(values.data, 'data'), required(values.tenant, 'tenant'), values['base-url'])
  if (!opened.ok) return reportProblem(io, 'sinks', opened.problem, values.json)
  try {
    return await perform(opened.value.ask, wanted, io)
  } finally {
    opened.value.close()
  }
}

const openHere = async (
  dataDir: string,
  tenant: string,
  baseUrl: string | undefined,
): Promise<Outcome<{ readonly ask: Ask; readonly close: () => void }>> => {
  const stored = await loadStoredTenant(dataDir, tenant, baseUrl)
  if (!stored.ok) return fail('refused', stored.problem)
  if (!existsSync(databasePath(dataDir, AUDIT.file))) return fail('unavailable', `there is no log in ${dataDir}`)
  const audit = openDatabase({ dataDir, dev: null, schema: AUDIT })
  const ports = {
    board: createSinkBoard(audit),
    errands: createSinkErrands(audit),
    anchors: createAnchorRecords(audit),
    clock: systemClock,
    ids: createIds(systemClock),
  }
  return done({
    ask: async (asked) => {
      const answer = await administerSinks(ports, stored.config, asked)
      return answer.kind === 'not_found' ? fail('refused', 'there is no such sink') : done(answer)
    },
    close: () => audit.close(),
  })
}

const askAfar =
  ({ call }: Afar): Ask =>
  async (asked) => {
    const answered = await (asked.kind === 'ask_sink' ? call(pathOf(asked), {}) : call(pathOf(asked)))
    if (answered.ok) return done(answered.value as unknown as SinkAdminAnswer)
    return answered.problem.facts?.['status'] === 404 ? fail('refused', 'there is no such sink') : answered
  }

const pathOf = (asked: SinkRequest): string => {
  switch (asked.kind) {
    case 'sinks':
      return 'admin/sinks'
    case 'sink_errand':
      return `admin/sinks/errands/${asked.id}`
    case 'ask_sink':
      return `admin/sinks/${encodeURIComponent(asked.sink)}/${asked.errand}`
    case 'dead_letters':
      return `admin/sinks/${encodeURIComponent(asked.sink)}/dead-letters`
  }
}

type Wanted = {
  readonly verb: string | undefined
  readonly sink: string | undefined
  readonly isJson: boolean | undefined
  readonly isFromAfar: boolean
}

const act = async (ask: Ask, wanted: Wanted, io: Io): Promise<number> => {
  const { verb, sink = '', isJson } = wanted
  const answered = await ask(
    verb === undefined
      ? { kind: 'sinks' }
      : verb === 'dead-letters'
        ? { kind: 'dead_letters', sink }
        : { kind: 'ask_sink', sink, errand: verb === 'test' ? 'test' : 'resend' },
  )
  if (!answered.ok) return reportProblem(io, 'sinks', answered.problem, isJson)
  const answer = answered.value
  if (answer.kind === 'errand_accepted') return waitFor(ask, answer.errand, wanted, io)
  const { kind: _, ...told } = answer
  if (answer.kind === 'sinks' && answer.anchors.length === 0)
    io.stderr.write('mintmark sinks: warning: no anchor has a checkpoint of this log (serve --anchor)\n')
  if (isJson) io.stdout.write(`${JSON.stringify(told, null, 2)}\n`)
  else if (answer.kind === 'sinks') {
    if (answer.sinks.length === 0) io.stdout.write(NO_SINKS)
    for (const status of answer.sinks) io.stdout.write(statusLine(status))
    for (const { anchor, size, atSeconds } of answer.anchors)
      io.stdout.write(`anchor ${anchor}: ${size} leaves at ${new Date(atSeconds * 1000).toISOString()}\n`)
  } else if (answer.kind === 'dead_letters')
    for (const { uid, leaf, reason } of answer.letters)
      io.stdout.write(`${String(leaf ?? '-').padStart(8)}  ${printable(uid)}  ${DEAD_LETTER_REASONS[reason]}\n`)
  return 0
}

const waitFor = async (ask: Ask, accepted: SinkErrand, wanted: Wanted, io: Io): Promise<number> => {
  const { isJson } = wanted
  const answered = await doneBy(ask, accepted, wanted)
  if (!answered.ok) return reportProblem(io, 'sinks', answered.problem, isJson)
  const errand = answered.value
  io.stdout.write(isJson ? `${JSON.stringify({ errand }, null, 2)}\n` : `${outcomeLine(errand)}\n`)
  return isDelivered(errand) ? 0 : 1
}

/** Asked of all before any is waited for: they are done side by side. The worst of them is the exit code. */
const testAll = async (ask: Ask, wanted: Wanted, io: Io): Promise<number> => {
  const { isJson } = wanted
  const listed = await ask({ kind: 'sinks' })
  if (!listed.ok) return reportProblem(io, 'sinks', listed.problem, isJson)
  const names = listed.value.kind === 'sinks' ? listed.value.sinks.map(({ name }) => name) : []
  const accepted: SinkErrand[] = []
  for (const sink of names) {
    const answered = await ask({ kind: 'ask_sink', sink, errand: 'test' })
    if (!answered.ok) return reportProblem(io, 'sinks', answered.problem, isJson)
    if (answered.value.kind === 'errand_accepted') accepted.push(answered.value.errand)
  }
  const tested = await Promise.all(accepted.map((errand) => doneBy(ask, errand, wanted)))
  if (isJson) {
    const errands = tested.map((one, at) => (one.ok ? one.value : { ...accepted[at], error: one.problem.kind }))
    io.stdout.write(`${JSON.stringify({ errands }, null, 2)}\n`)
  } else if (names.length === 0) io.stdout.write(NO_SINKS)
  else
    for (const [at, one] of tested.entries())
      io.stdout.write(`${names[at]!.padEnd(16)} ${one.ok ? outcomeLine(one.value) : one.problem.says}\n`)
  return Math.max(0, ...tested.map((one) => (one.ok ? (isDelivered(one.value) ? 0 : 1) : EXIT_CODES[one.problem.kind])))
}

/** The errand with its outcome. */
const doneBy = async (ask: Ask, accepted: SinkErrand, { isFromAfar }: Wanted): Promise<Outcome<SinkErrand>> => {
  const waitMs = isFromAfar ? LIMITS.sinkErrandWaitFromAfarMs : LIMITS.sinkErrandWaitMs
  for (const untilMs = performance.now() + waitMs; performance.now() < untilMs; await sleep(POLL_MS)) {
    const answered = await ask({ kind: 'sink_errand', id: accepted.id })
    if (!answered.ok) return answered
    if (answered.value.kind === 'errand' && answered.value.errand.outcome !== null) return done(answered.value.errand)
  }
  const hint = isFromAfar ? 'the next run may still do it' : 'is one running?'
  return fail('unavailable', `no broker did it within ${waitMs / 1000} s: ${hint}`)
}

const isDelivered = ({ outcome }: SinkErrand): boolean => outcome?.trouble === null && outcome.refused === 0

const outcomeLine = ({ outcome }: SinkErrand): string => {
  const { delivered = 0, refused = 0, trouble = null } = outcome ?? {}
  return trouble === null
    ? `delivered ${delivered}${refused > 0 ? `, still refused ${refused}` : ''}`
    : `not delivered: ${SINK_TROUBLES[trouble]} (${trouble})`
}

const statusLine = (status: SinkStatus): string => {
  const { name, type, backlogLeaves, lagSeconds, deliveredAtSeconds, trouble, failures } = status
  const dead = Object.entries(status.deadLetters).map(([reason, count]) => `${count} ${reason}`)
  const when = deliveredAtSeconds === null ? 'never' : new Date(deliveredAtSeconds * 1000).toISOString()
  const how = trouble === null ? 'well' : `${SINK_TROUBLES[trouble]} (${trouble}, ${failures} times in a row)`
  return [
    `${name.padEnd(16)} ${type.padEnd(14)} behind ${backlogLeaves} leaves, ${lagSeconds} s; last took some ${when}; ${how}`,
    dead.length > 0 ? `; dead letters: ${dead.join(', ')}` : '',
    '\n',
  ].join('')
}
