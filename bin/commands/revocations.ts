// `mintmark revocations`: what is in force, who asked for it, and why.
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import type { Revocation } from '../../lib/domain/revocation.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { openDatabaseBeside } from '../embedded/open-store.ts'
import { printable } from '../printable.ts'
import { AFAR_OPTIONS, readAfar, reportProblem } from '../remote/call-tenant.ts'

const HELP = `Usage: mintmark revocations [--tenant T] --data DIR [--json]
       mintmark revocations --tenant-url URL --token-file F [--json]

Lists the blocks and cuts in force, oldest first: of one tenant, or of all. Safe beside a running broker.
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
    const answered = await afar.call('admin/revocations')
    if (!answered.ok) return reportProblem(io, 'revocations', answered.problem, values.json)
    return show(io, (answered.value as { readonly revocations: readonly Revocation[] }).revocations, values.json)
  }
  const opened = openDatabaseBeside(required(values.data, 'data'))
  if (!opened.ok) {
    io.stderr.write(`mintmark revocations: ${opened.problem}\n`)
    return 3
  }
  const { database } = opened
  try {
    const all = (await createTenantConfigStore(database).list()).map(({ tenant }) => tenant)
    const tenants = values.tenant === undefined ? all : all.filter((tenant) => tenant === values.tenant)
    if (values.tenant !== undefined && tenants.length === 0) {
      io.stderr.write(`mintmark revocations: there is no tenant ${JSON.stringify(values.tenant)} here\n`)
      return 1
    }
    const store = createRevocationStore(database)
    const revocations: Revocation[] = []
    for (const tenant of tenants) revocations.push(...(await store.list(tenant)))
    return show(io, revocations, values.json)
  } finally {
    database.close()
  }
}

const show = (io: Io, revocations: readonly Revocation[], isJson: boolean | undefined): number => {
  if (isJson) io.stdout.write(`${JSON.stringify({ revocations }, null, 2)}\n`)
  else for (const revocation of revocations) io.stdout.write(line(revocation))
  return 0
}

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
  const bound = notBeforeSeconds === null ? '' : ` before ${new Date(notBeforeSeconds * 1000).toISOString()}`
  const when = new Date(atSeconds * 1000).toISOString()
  return `${id}  ${tenant}  ${form}${bound}  ${kind} ${what}  ${when} by ${printable(by)}: ${printable(reason)}\n`
}
