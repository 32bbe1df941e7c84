// `mintmark events`: which security events were received, and what came of each.
import { createSecurityEvents } from '../../lib/adapters/sqlite/security-events.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { RecordedEvent } from '../../lib/domain/recorded-event.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { openDatabaseBeside } from '../embedded/open-store.ts'
import { printable } from '../printable.ts'
import { reportProblem } from '../report-problem.ts'

const LISTED_MAX = 1_000

const HELP = `Usage: mintmark events --tenant T --data DIR [--json]

Lists the security events that a tenant received in the last ${LIMITS.eventKeepSeconds / (24 * 3600)} days, newest first, ${LISTED_MAX} at most:
  ordered          it became the revocation order of the same id
  acknowledged     good news, or about the stream itself: nothing to revoke
  selects_nothing  authentic, and nothing of this tenant is meant: look at what "on:" maps
  unselectable     authentic, and refused: what it names can be no value of the kind it is mapped to
Exit: 0 listed, 1 there is no such tenant, 2 wrong usage, 3 unavailable.
`

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, { tenant: { type: 'string' }, data: { type: 'string' } })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 0) throw new UsageError('events takes no arguments')
  const tenant = required(values.tenant, 'tenant')
  const opened = openDatabaseBeside(required(values.data, 'data'))
  if (!opened.ok) return reportProblem(io, 'events', { kind: 'unavailable', says: opened.problem }, values.json)
  const { database } = opened
  try {
    if ((await createTenantConfigStore(database).latest(tenant)) === null) {
      const says = `there is no tenant ${JSON.stringify(tenant)} here`
      return reportProblem(io, 'events', { kind: 'refused', says }, values.json)
    }
    const events = await createSecurityEvents(database).list(tenant, LISTED_MAX)
    if (values.json) io.stdout.write(`${JSON.stringify({ events }, null, 2)}\n`)
    else for (const event of events) io.stdout.write(line(event))
    return 0
  } finally {
    database.close()
  }
}

const line = ({ id, source, event, outcome, atSeconds }: RecordedEvent): string =>
  `${id}  ${new Date(atSeconds * 1000).toISOString()}  ${outcome.padEnd(15)}  ${event} by ${printable(source)}\n`
