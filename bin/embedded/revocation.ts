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
import type { OrderProofs } from '../../lib/ports/revocation-orders.ts'

export const embeddedRevocation = (
  database: Database,
  dataDir: string,
  /** Who judges orders that came over HTTP; left out: beside a broker, where none arrive. */
  tokenProofs?: OrderProofs,
): { readonly queue: SqliteQueue; readonly ports: RevokePorts } => ({
  queue: createQueue(database, 'revoke', systemClock),
  ports: {
    proofs: proofsOf(createOperatorProofs(statSync(databasePath(dataDir)).uid), tokenProofs),
    revocations: createRevocationStore(database),
    orders: createAppliedOrders(database),
    clock: systemClock,
    ids: createIds(systemClock),
  },
})

const proofsOf = (operators: OrderProofs, tokens: OrderProofs | undefined): OrderProofs => ({
  verify: async (order, sender) =>
    order.proof.kind === 'token' ? ((await tokens?.verify(order, sender)) ?? null) : operators.verify(order, sender),
})
