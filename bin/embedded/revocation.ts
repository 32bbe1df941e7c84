// The revoke function over the embedded store: what `serve` runs from its queue, and `mintmark revoke` beside it.
import { statSync } from 'node:fs'
import { getuid } from 'node:process'
import { createAppliedOrders } from '../../lib/adapters/sqlite/applied-orders.ts'
import { databasePath } from '../../lib/adapters/sqlite/data-directory.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createQueue, type SqliteQueue } from '../../lib/adapters/sqlite/queue.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { createOperatorProofs } from '../../lib/adapters/system/operator-proofs.ts'
import type { OrderProof } from '../../lib/domain/revocation-order.ts'
import { proofsByKind } from '../../lib/flows/revocation/check-event-proof.ts'
import { type RevokePorts, revokeOrder } from '../../lib/flows/revocation/revoke-order.ts'
import { sendOrder } from '../../lib/flows/revocation/send-order.ts'
import type { ApplyPorts } from '../../lib/flows/tenants/apply-tenants.ts'
import type { OrderProofs } from '../../lib/ports/revocation-orders.ts'

export const embeddedRevocation = (
  database: Database,
  dataDir: string,
  /** Who judges orders that came over HTTP, by the kind of their proof; left out: beside a broker, where none arrive. */
  proofs: Partial<Record<OrderProof['kind'], OrderProofs>> = {},
): { readonly queue: SqliteQueue; readonly ports: RevokePorts } => ({
  queue: createQueue(database, 'revoke', systemClock),
  ports: {
    proofs: proofsByKind({ uid: createOperatorProofs(statSync(databasePath(dataDir)).uid), ...proofs }),
    revocations: createRevocationStore(database),
    orders: createAppliedOrders(database),
    clock: systemClock,
    ids: createIds(systemClock),
  },
})

/** What `apply` takes back: through the queue, as every order, and carried out here, so that it is in force when this resolves. */
export const embeddedCut = (database: Database, dataDir: string): NonNullable<ApplyPorts['cut']> => {
  const { queue, ports } = embeddedRevocation(database, dataDir)
  return async ({ tenant, selectors, reason }) => {
    const order = {
      v: 1,
      id: ports.ids.decisionId(),
      tenant,
      selectors,
      form: 'cut',
      reason,
      proof: { kind: 'uid', uid: getuid?.() ?? -1 },
      orderedAtSeconds: ports.clock.nowSeconds(),
    } as const
    await sendOrder(queue, order)
    const outcome = await revokeOrder(ports, order, null)
    if (outcome.kind === 'refused') throw new Error(`a cut of what was narrowed was refused: ${outcome.refusal}`)
  }
}
