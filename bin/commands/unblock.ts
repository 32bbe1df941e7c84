// `mintmark unblock ID`: lifts a block, with a reason, on record (design §3). A cut has done its work and cannot be lifted.
import { getuid } from 'node:process'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIFT_REFUSALS, liftBlock } from '../../lib/flows/lift-block.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { openDatabaseBeside } from '../embedded/open-store.ts'

const HELP = `Usage: mintmark unblock ID --reason TEXT --data DIR [--json]

Lifts the block with this id (see "mintmark revocations"): what it named may attest again. Who, when and why stays on record.
Exit: 0 lifted, 1 there is no such block in force, 2 wrong usage, 3 unavailable.
`

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, { data: { type: 'string' }, reason: { type: 'string' } })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const [id, ...more] = positionals
  if (id === undefined || more.length > 0) throw new UsageError('unblock takes one id')
  const reason = required(values.reason, 'reason')
  const opened = openDatabaseBeside(required(values.data, 'data'))
  if (!opened.ok) {
    io.stderr.write(`mintmark unblock: ${opened.problem}\n`)
    return 3
  }
  const { database } = opened
  try {
    const ports = {
      configs: createTenantConfigStore(database),
      revocations: createRevocationStore(database),
      clock: systemClock,
    }
    const lifted = await liftBlock(ports, { id, reason, by: `uid:${getuid?.() ?? -1}` })
    if (values.json) io.stdout.write(`${JSON.stringify(lifted, null, 2)}\n`)
    if (lifted.kind === 'refused') {
      io.stderr.write(`mintmark unblock: ${LIFT_REFUSALS[lifted.refusal]}\n`)
      return 1
    }
    if (!values.json) io.stdout.write(`lifted ${lifted.revocation.kind} of ${lifted.revocation.tenant}\n`)
    return 0
  } finally {
    database.close()
  }
}
