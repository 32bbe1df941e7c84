// `mintmark revoke`: an order, put on the queue and carried out at once, in the data directory of a broker that runs or not; or
// put on the queue on AWS and waited for. When it returns 0, every exchange that begins is judged under it (P6).
import { getuid } from 'node:process'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { createRecentRecords } from '../../lib/adapters/sqlite/recent-records.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { REVOCATION_KINDS, type RevocationKind } from '../../lib/domain/revocation.ts'
import { ORDER_REFUSALS } from '../../lib/domain/revocation-order.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { draftOrder } from '../../lib/flows/revocation/draft-order.ts'
import { type Preview, previewRevocation } from '../../lib/flows/revocation/preview-revocation.ts'
import { revokeOrder } from '../../lib/flows/revocation/revoke-order.ts'
import { sendOrder } from '../../lib/flows/revocation/send-order.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { openDatabaseBeside } from '../embedded/open-store.ts'
import { embeddedRevocation } from '../embedded/revocation.ts'
import { printable } from '../printable.ts'
import { AFAR_HELP, AFAR_OPTIONS, readAfar } from '../remote/call-tenant.ts'
import { orderFromAfar } from '../remote/order-from-afar.ts'
import { reportProblem } from '../report-problem.ts'
import type { Asked, Outcome } from '../revocation-outcome.ts'

const KINDS = Object.entries(REVOCATION_KINDS) as [RevocationKind, (typeof REVOCATION_KINDS)[RevocationKind]][]
const EVERYTHING = REVOCATION_KINDS.tenant.flag

const flagLine = ([, { flag, always, scoped, says }]: (typeof KINDS)[number]): string => {
  const value = flag === EVERYTHING ? '' : scoped ? ' ISSUER/ID' : ' V'
  return `  ${`--${flag}${value}`.padEnd(24)} ${says}${always === 'block' ? ' (always a block)' : ''}`
}

const HELP = `Usage: mintmark revoke --tenant T (--FLAG V | --${EVERYTHING}) --reason TEXT [--cut] [--dry-run] (--data DIR | --aws)
       mintmark revoke … --tenant-url URL --token-file F [--dpop-key F]

Denies what the flag names from now on, and what was issued to it: a block, until "mintmark unblock". Kinds that are named
with their issuer take the bare id where the tenant has one issuer.

${KINDS.map(flagLine).join('\n')}

  --reason TEXT            why, for the record; one line
  --cut                    what was issued until now is dead, attesting again is allowed; it cannot be lifted
  --dry-run                only show which live credentials it would hit; not with --aws
  --data DIR               the data directory
  --aws                    the broker in the account and Region of the environment, with a session of the role
                           mintmark-operator; its stage is --stage (default: prod)
${AFAR_HELP}
Exit: 0 in force, 1 refused, 2 wrong usage, 3 unavailable: what was accepted by then is carried out by the running broker.
`

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    tenant: { type: 'string' },
    data: { type: 'string' },
    aws: { type: 'boolean', default: false },
    stage: { type: 'string', default: 'prod' },
    reason: { type: 'string' },
    cut: { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
    ...AFAR_OPTIONS,
    ...KIND_OPTIONS,
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 0) throw new UsageError('revoke takes no arguments')
  const afar = readAfar(values as Parameters<typeof readAfar>[0])
  const tenant = afar?.tenant ?? required(values.tenant, 'tenant')
  const { kind, value } = selected(values as Readonly<Record<string, unknown>>, tenant)
  const isDryRun = values['dry-run']
  const asked: Asked = {
    tenant,
    kind,
    value,
    form: values.cut ? 'cut' : 'block',
    reason: isDryRun ? (values.reason ?? 'dry run') : required(values.reason, 'reason'),
  }
  if (afar !== null) {
    const done = await orderFromAfar(afar, asked, isDryRun)
    return done.ok
      ? report(io, done.value, values.json ?? false)
      : reportProblem(io, 'revoke', done.problem, values.json)
  }
  if (values.aws) {
    if (values.data !== undefined || isDryRun) throw new UsageError('--aws goes with neither --data nor --dry-run')
    // The SDK comes only here: it is large.
    const { orderOnAws } = await import('../aws/order-revocation.ts')
    return report(io, await orderOnAws(asked, values.stage), values.json ?? false)
  }
  const dataDir = required(values.data, 'data')
  const opened = openDatabaseBeside(dataDir)
  if (!opened.ok) return reportProblem(io, 'revoke', { kind: 'unavailable', says: opened.problem }, values.json)
  const { database } = opened
  try {
    const outcome = await act(database, dataDir, asked, isDryRun)
    return report(io, outcome, values.json ?? false)
  } finally {
    database.close()
  }
}

const KIND_OPTIONS = Object.fromEntries(
  KINDS.map(([, { flag }]) => [flag, { type: flag === EVERYTHING ? ('boolean' as const) : ('string' as const) }]),
)

const selected = (
  values: Readonly<Record<string, unknown>>,
  tenant: string,
): { kind: RevocationKind; value: string } => {
  const [given, ...more] = KINDS.filter(([, { flag }]) => values[flag] !== undefined)
  if (given === undefined || more.length > 0)
    throw new UsageError(`revoke takes exactly one of ${KINDS.map(([, { flag }]) => `--${flag}`).join(', ')}`)
  const [kind, { flag }] = given
  return { kind, value: flag === EVERYTHING ? tenant : String(values[flag]) }
}

const act = async (database: Database, dataDir: string, asked: Asked, isDryRun: boolean): Promise<Outcome> => {
  const { queue, ports } = embeddedRevocation(database, dataDir)
  const { clock, ids } = ports
  const drafting = {
    configs: createTenantConfigStore(database),
    decisions: createDecisionLookup(database),
    clock,
    ids,
  }
  const draft = await draftOrder(drafting, { ...asked, proof: { kind: 'uid', uid: getuid?.() ?? -1 } })
  if (!draft.ok) return { kind: 'refused', refusal: draft.refusal }
  const order = draft.value
  const preview = () => previewRevocation({ records: createRecentRecords(database), clock }, order)
  if (isDryRun) return { kind: 'dry_run', order, hits: await preview() }
  // From here on it will be carried out, whatever becomes of this process; carried out here, it need not wait its turn.
  await sendOrder(queue, order)
  try {
    const outcome = await revokeOrder(ports, order, null)
    if (outcome.kind === 'refused') return outcome
    return { kind: 'in_force', order, revocations: outcome.applied.revocations, hits: await preview() }
  } catch (error) {
    if (error instanceof Unavailable) return { kind: 'accepted', order }
    throw error
  }
}

const report = (io: Io, outcome: Outcome, isJson: boolean): number => {
  if (isJson) io.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`)
  switch (outcome.kind) {
    case 'refused':
      io.stderr.write(`mintmark revoke: ${ORDER_REFUSALS[outcome.refusal]}\n`)
      return 1
    case 'accepted':
      io.stderr.write(`mintmark revoke: order ${outcome.order.id} is accepted and not in force yet\n`)
      return 3
    case 'dry_run':
    case 'in_force':
      if (!isJson) print(io, outcome)
      return 0
  }
}

const print = (io: Io, outcome: Extract<Outcome, { kind: 'dry_run' | 'in_force' }>): void => {
  const { order, hits } = outcome
  const say = (text: string) => void io.stdout.write(`${text}\n`)
  order.selectors.forEach(({ kind, issuer, value }, at) => {
    const id = outcome.kind === 'in_force' ? `  ${outcome.revocations[at]}` : ''
    const verb = outcome.kind === 'in_force' ? 'revoked' : 'would revoke'
    say(`${verb} ${order.form} ${kind} ${printable(issuer === '' ? value : `${issuer}/${value}`)}${id}`)
  })
  if (hits !== undefined) printHits(hits, say)
  if (order.selectors.some(({ kind }) => kind === 'own_key') && outcome.kind === 'in_force')
    io.stderr.write(
      'mintmark revoke: the key goes on signing and all of it is denied: "mintmark keys taint" replaces it\n',
    )
}

const printHits = ({ credentials, identities, newest, onlyNewest }: Preview, say: (text: string) => void): void => {
  const among = onlyNewest === null ? '' : `, among the newest ${onlyNewest} of the tenant; older ones are hit too`
  say(`live credentials hit: ${credentials}, of ${identities} identities${among}`)
  for (const { credential, grant } of newest)
    say(
      `  ${credential.jti}  ${printable(credential.sub)}  ${printable(grant)}  until ${new Date(credential.exp * 1000).toISOString()}`,
    )
  if (credentials > newest.length) say(`  … the newest ${newest.length} are shown`)
}
