// `mintmark unblock ID`: lifts a block, with a reason, on record (design §3). A cut has done its work and cannot be lifted.
import { getuid } from 'node:process'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import type { Revocation } from '../../lib/domain/revocation.ts'
import { LIFT_REFUSALS, type LiftPorts, liftBlock } from '../../lib/flows/revocation/lift-block.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { openDatabaseBeside } from '../embedded/open-store.ts'
import { AFAR_OPTIONS, readAfar } from '../remote/call-tenant.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark unblock ID --reason TEXT (--data DIR | --aws) [--json]
       mintmark unblock ID --reason TEXT --tenant-url URL --token-file F [--dpop-key F]

Lifts the block with this id (see "mintmark revocations"): what it named may attest again. Who, when and why stays on record.
From afar it takes a token with scope admin, and a moment after the answer.

  --data DIR     the data directory
  --aws          the tables of the account and Region of the environment, with a session of the role mintmark-operator

Exit: 0 lifted, 1 there is no such block in force, 2 wrong usage, 3 unavailable.
`

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    data: { type: 'string' },
    aws: { type: 'boolean', default: false },
    reason: { type: 'string' },
    ...AFAR_OPTIONS,
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const [id, ...more] = positionals
  if (id === undefined || more.length > 0) throw new UsageError('unblock takes one id')
  const reason = required(values.reason, 'reason')
  const afar = readAfar(values)
  if (afar !== null) {
    const answered = await afar.call(`admin/revocations/${encodeURIComponent(id)}/unblock`, { reason })
    if (!answered.ok) return reportProblem(io, 'unblock', answered.problem, values.json)
    const { revocation } = answered.value as { readonly revocation: Revocation }
    if (values.json) io.stdout.write(`${JSON.stringify(answered.value, null, 2)}\n`)
    else io.stdout.write(`lifting ${revocation.kind} of ${revocation.tenant}\n`)
    return 0
  }
  if (values.aws && values.data !== undefined) throw new UsageError('unblock takes --data or --aws, not both')
  const opened = values.aws ? await openTables() : openDirectory(required(values.data, 'data'))
  if (!opened.ok) return reportProblem(io, 'unblock', { kind: 'unavailable', says: opened.problem }, values.json)
  try {
    const lifted = await liftBlock({ ...opened.stores, clock: systemClock }, { id, reason, by: opened.by })
    if (values.json) io.stdout.write(`${JSON.stringify(lifted, null, 2)}\n`)
    if (lifted.kind === 'refused') {
      io.stderr.write(`mintmark unblock: ${LIFT_REFUSALS[lifted.refusal]}\n`)
      return 1
    }
    if (!values.json) io.stdout.write(`lifted ${lifted.revocation.kind} of ${lifted.revocation.tenant}\n`)
    return 0
  } finally {
    opened.close()
  }
}

type Opened =
  | { readonly ok: false; readonly problem: string }
  | {
      readonly ok: true
      readonly stores: Omit<LiftPorts, 'clock'>
      /** Who lifts, for the record. */
      readonly by: string
      readonly close: () => void
    }

const openDirectory = (dataDir: string): Opened => {
  const opened = openDatabaseBeside(dataDir)
  if (!opened.ok) return opened
  const { database } = opened
  return {
    ok: true,
    stores: { configs: createTenantConfigStore(database), revocations: createRevocationStore(database) },
    by: `uid:${getuid?.() ?? -1}`,
    close: () => database.close(),
  }
}

/** The SDK comes only with --aws: it is large. */
const openTables = async (): Promise<Opened> => {
  const { awsCaller, openAwsRevocations } = await import('../aws/core-table.ts')
  const { by } = await awsCaller()
  const { close, ...stores } = openAwsRevocations()
  return { ok: true, stores, by, close }
}
