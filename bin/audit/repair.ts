// `mintmark audit repair`: what the log should have and does not is appended, as if it had come now. A broker may run beside it: any
// number of writers append to one log.
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { systemSalts } from '../../lib/adapters/system/salts.ts'
import { createTreeLog } from '../../lib/flows/audit/append-log.ts'
import { recordsWithoutLeaf } from '../../lib/flows/audit/reconcile-log.ts'
import type { Io } from '../command.ts'
import { printable } from '../printable.ts'
import { openLog, VERIFY_PORTS } from './open-log.ts'

export const repair = async (dataDir: string, tenant: string, isJson: boolean, io: Io): Promise<number> => {
  const { database, log, retention, origin, close } = await openLog(dataDir, tenant)
  try {
    const missing = await recordsWithoutLeaf({ feed: createChangeFeed(database), store: log, retention }, tenant)
    const decisions = createDecisionLookup(database)
    const tree = createTreeLog({
      store: log,
      salts: systemSalts,
      hashes: VERIFY_PORTS.hashes,
      // A log that is there says it itself.
      issuerUrl: () => origin,
      recordOf: async (_, id) => {
        const found = await decisions.find(id, tenant)
        return found?.kind === 'allow' ? found.record : null
      },
    })
    await tree.append(
      tenant,
      missing.map(({ entry }) => entry),
    )
    if (isJson) {
      io.stdout.write(`${JSON.stringify({ appended: missing.map(({ id }) => id) }, null, 2)}\n`)
      return 0
    }
    for (const { id } of missing) io.stdout.write(`appended ${printable(id)}\n`)
    io.stdout.write(`${missing.length} records had no leaf\n`)
    return 0
  } finally {
    close()
  }
}
