// `mintmark revocations`: what is in force, who asked for it and why; and how far the receivers are that are told.
import { createReceivers } from '../../lib/adapters/sqlite/receivers.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { done, type Outcome } from '../../lib/client/outcome.ts'
import type { ReceiverState } from '../../lib/domain/receiver-state.ts'
import type { Revocation } from '../../lib/domain/revocation.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { openDatabaseBeside } from '../embedded/open-store.ts'
import { printable } from '../printable.ts'
import { AFAR_OPTIONS, type Afar, readAfar } from '../remote/call-tenant.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark revocations [--tenant T] --data DIR [--json]
       mintmark revocations --tenant-url URL --token-file F [--dpop-key F] [--json]

Lists the blocks and cuts in force, of one tenant or of all; then the receivers that are told of revocations: what is
pending for each, since when the oldest waits, and what its last answer was. Safe beside a running broker.
Exit: 0 listed, 1 there is no such tenant, 2 wrong usage, 3 unavailable.
`

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    tenant: { type: 'string' },
    data: { type: 'string' },
    ...AFAR_OPTIONS,
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 0) throw new UsageError('revocations takes no arguments')
  const afar = readAfar(values)
  if (afar !== null) {
    const listed = await listFromAfar(afar)
    return listed.ok
      ? show(io, listed.value, values.json)
      : reportProblem(io, 'revocations', listed.problem, values.json)
  }
  const opened = openDatabaseBeside(required(values.data, 'data'))
  if (!opened.ok) return reportProblem(io, 'revocations', { kind: 'unavailable', says: opened.problem }, values.json)
  const { database } = opened
  try {
    const all = (await createTenantConfigStore(database).list()).map(({ tenant }) => tenant)
    const tenants = values.tenant === undefined ? all : all.filter((tenant) => tenant === values.tenant)
    if (values.tenant !== undefined && tenants.length === 0) {
      const says = `there is no tenant ${JSON.stringify(values.tenant)} here`
      return reportProblem(io, 'revocations', { kind: 'refused', says }, values.json)
    }
    const store = createRevocationStore(database)
    const revocations: Revocation[] = []
    for (const tenant of tenants) revocations.push(...(await store.list(tenant)))
    const receivers = await createReceivers(database).list(values.tenant ?? null)
    return show(io, { revocations, receivers }, values.json)
  } finally {
    database.close()
  }
}

type Listed = { readonly revocations: readonly Revocation[]; readonly receivers: readonly ReceiverState[] }

/** Page by page. */
const listFromAfar = async ({ call }: Afar): Promise<Outcome<Listed>> => {
  const revocations: Revocation[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page = await call(`admin/revocations?after=${after}`)
    if (!page.ok) return page
    const { revocations: some, next } = page.value as {
      readonly revocations: Revocation[]
      readonly next: number | null
    }
    revocations.push(...some)
    after = next
  }
  const told = await call('admin/receivers')
  if (!told.ok) return told
  const { receivers } = told.value as { readonly receivers: readonly ReceiverState[] }
  return done({ revocations, receivers })
}

const show = (io: Io, listed: Listed, isJson: boolean | undefined): number => {
  if (isJson) io.stdout.write(`${JSON.stringify(listed, null, 2)}\n`)
  else {
    for (const revocation of listed.revocations) io.stdout.write(line(revocation))
    for (const receiver of listed.receivers) io.stdout.write(receiverLine(receiver))
  }
  return 0
}

const receiverLine = ({
  tenant,
  name,
  type,
  pending,
  oldestAtSeconds,
  refused,
  full,
  attempts,
  last,
}: ReceiverState): string => {
  const waits = oldestAtSeconds === null ? '' : `, oldest since ${timeOf(oldestAtSeconds)}`
  const failed = attempts === 0 ? '' : `, ${attempts} attempts failed`
  const errors = type === 'poll' && refused > 0 ? `, ${refused} answered with an error` : ''
  const still = full ? ', stands still: it leaves open as many as are kept track of' : ''
  const answer = last === null ? 'never heard of' : `last ${timeOf(last.atSeconds)} ${last.problem ?? 'well'}`
  const status = last?.status == null ? '' : ` (HTTP ${last.status})`
  return `receiver ${tenant}/${name}  ${type}  ${pending} pending${waits}${failed}${errors}${still}  ${answer}${status}\n`
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString()

const line = ({
  id,
  tenant,
  kind,
  issuer,
  value,
  form,
  notBeforeSeconds,
  reason,
  by,
  atSeconds,
}: Revocation): string => {
  const what = printable(issuer === '' ? value : `${issuer}/${value}`)
  const bound = notBeforeSeconds === null ? '' : ` before ${timeOf(notBeforeSeconds)}`
  return `${id}  ${tenant}  ${form}${bound}  ${kind} ${what}  ${timeOf(atSeconds)} by ${printable(by)}: ${printable(reason)}\n`
}
