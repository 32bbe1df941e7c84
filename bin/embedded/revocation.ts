// The revoke function over the embedded store: what `serve` runs from its queue, and `mintmark revoke` beside it.
import { statSync } from 'node:fs'
import { createAppliedOrders } from '../../lib/adapters/sqlite/applied-orders.ts'
import { databasePath } from '../../lib/adapters/sqlite/data-directory.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createQueue, type SqliteQueue } from '../../lib/adapters/sqlite/queue.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { createOperatorProofs } from '../../lib/adapters/system/operator-proofs.ts'
import type { RevokePorts } from '../../lib/flows/revoke-order.ts'

export const embeddedRevocation = (
  database: Database,
  dataDir: string,
): { readonly queue: SqliteQueue; readonly ports: RevokePorts } => ({
  queue: createQueue(database, 'revoke', systemClock),
  ports: {
    proofs: createOperatorProofs(statSync(databasePath(dataDir)).uid),
    revocations: createRevocationStore(database),
    orders: createAppliedOrders(database),
    clock: systemClock,
    ids: createIds(systemClock),
  },
})
