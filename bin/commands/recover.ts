// `mintmark recover`: ends the quarantine of a store that lost records (design §7), or begins it.
import { userInfo } from 'node:os'
import { createRecoveryStore } from '../../lib/adapters/sqlite/recovery.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { lastIn } from '../../lib/flows/recovery/check-store.ts'
import { type Recovered, recoverStore } from '../../lib/flows/recovery/recover-store.ts'
import { type Io, readOptions, required, UsageError } from '../command.ts'
import { type OpenStore, openStore } from '../embedded/open-store.ts'
import { anchorTexts } from '../embedded/quarantine.ts'
import { openRecovery } from '../embedded/recovery.ts'
import { reportProblem } from '../report-problem.ts'

const HELP = `Usage: mintmark recover --reason TEXT --data DIR [--anchor FILE …] [--json]
       mintmark recover --quarantine --data DIR

For a store that has lost records: restored from a backup, or rolled back. A broker that finds its store behind an anchor, or its
records behind its logs, answers 503 to everything until this was done. It

- ends every credential issued so far, of every tenant (a cut), also those no record is left of;
- refuses evidence issued until ${LIMITS.leewaySeconds} s from now: it may have been redeemed in what was lost;
- replaces the keys that sign tokens, at once;
- lets the numbers of revocations go on from beyond any that can have been given out;
- records who did it and why in the log of every tenant, and ends the quarantine.

Revocations that were lost are not known to it: give them again before, with "mintmark revoke" (sinks have the events).

  --reason TEXT     for the record
  --anchor FILE     what the anchor has seen counts as known to be lost; the same files as for serve; may repeat
  --quarantine      only begin: every broker on the directory answers 503 within a second
  --data DIR        the data directory

Exit: 0 done, 2 wrong usage, 3 unavailable: what was done stands, and so does the quarantine; run it again.
`

export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const { values, positionals } = readOptions(argv, {
    data: { type: 'string' },
    reason: { type: 'string' },
    quarantine: { type: 'boolean', default: false },
    anchor: { type: 'string', multiple: true, default: [] },
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  if (positionals.length > 0) throw new UsageError('recover takes no arguments')
  const dataDir = required(values.data, 'data')
  const reason = values.quarantine ? '' : required(values.reason, 'reason')
  const opened = openStore({ dataDir, dev: null, masterKey: io.env['MINTMARK_MASTER_KEY'], isMasterKeyLost: true })
  if (!opened.ok) return reportProblem(io, 'recover', { kind: 'unavailable', says: opened.problem }, values.json)
  const { database } = opened.store
  try {
    if (values.quarantine) {
      const quarantine = { reason: 'operator', sinceSeconds: systemClock.nowSeconds() } as const
      await createRecoveryStore(database).quarantine(quarantine)
      io.stdout.write(
        values.json ? `${JSON.stringify(quarantine)}\n` : 'in quarantine: every request is answered 503\n',
      )
      return 0
    }
    const recovered = await recover(opened.store, { dataDir, reason, anchors: values.anchor })
    io.stdout.write(values.json ? `${JSON.stringify(recovered, null, 2)}\n` : textOf(recovered))
    return 0
  } finally {
    database.close()
  }
}

type Order = { readonly dataDir: string; readonly reason: string; readonly anchors: readonly string[] }

const recover = (store: OpenStore, { dataDir, reason, anchors }: Order): Promise<Recovered> => {
  const { uid, username } = userInfo()
  const { ports, close } = openRecovery(store, dataDir)
  return recoverStore(ports, { by: username, uid, reason, seen: lastIn(anchorTexts(anchors)) }).finally(close)
}

const textOf = ({ tenants, floorSeconds }: Recovered): string =>
  `recovered: ${tenants.length} tenants, all they issued is cut, their token keys are replaced\nevidence is accepted that is issued from ${new Date(floorSeconds * 1000).toISOString()}\n`
