// revoke: an order from the queue becomes revocations (design §2, §3). The proof is verified again, the rows that mint reads
// are written, what lives outside of the broker is ended by the hooks, and what was done is recorded under the order's id, so that a second
// delivery does nothing.

import type { Revocation } from '../../domain/revocation.ts'
import {
  type AppliedOrder,
  isSameOrder,
  type OrderRefusal,
  orderProblem,
  type RevocationOrder,
  recordedOrder,
  revocationOf,
} from '../../domain/revocation-order.ts'
import type { Clock } from '../../ports/clock.ts'
import type { AppliedOrders, HookOutcome, OrderProofs, RevocationHook } from '../../ports/revocation-orders.ts'
import type { RevocationStore } from '../../ports/revocations.ts'
import type { Ids } from '../../ports/system.ts'

export type RevokePorts = {
  readonly proofs: OrderProofs
  readonly revocations: Pick<RevocationStore, 'put'>
  readonly orders: AppliedOrders
  /** For kinds of credential that nobody asks us about. Without one of a kind, they end by themselves. */
  readonly hooks?: readonly RevocationHook[]
  readonly clock: Clock
  readonly ids: Ids
  /** Crash points for fault tests; absent in every production wiring. */
  readonly failpoint?: (name: 'rows_written') => void
}

export type OrderOutcome =
  | { readonly kind: 'applied'; readonly applied: AppliedOrder }
  | { readonly kind: 'refused'; readonly refusal: OrderRefusal }

/**
 * `sender`: who the queue says sent it. When it resolves with `applied`, every exchange that begins is denied (P6). A refused
 * order leaves no trace under its id: whoever forges one must not spend the id of a true one. Throws Unavailable; safe to
 * repeat.
 */
export const revokeOrder = async (
  ports: RevokePorts,
  order: RevocationOrder,
  sender: string | null,
): Promise<OrderOutcome> => {
  const problem = orderProblem(order)
  if (problem !== null) return { kind: 'refused', refusal: problem }
  const recorded = recordedOrder(order)
  const before = await ports.orders.find(order.tenant, order.id)
  // Before the proof is looked at: an order may have revoked its own, and is delivered again all the same.
  if (before !== null && isSameOrder(before.order, recorded)) return { kind: 'applied', applied: before }
  const by = await ports.proofs.verify(order, sender)
  if (by === null) return { kind: 'refused', refusal: 'proof_not_accepted' }
  if (before !== null) return { kind: 'refused', refusal: 'id_reused' }

  const inForce: Revocation[] = []
  for (const selector of order.selectors) {
    const written = { id: ports.ids.decisionId(), by, atSeconds: ports.clock.nowSeconds() }
    inForce.push(await ports.revocations.put(revocationOf(order, selector, written), order.id))
  }
  ports.failpoint?.('rows_written')
  // Rows first: from here on mint gives nothing that a hook, which sees what there is now, would miss.
  const done: HookOutcome[] = []
  for (const hook of ports.hooks ?? []) done.push(await hook.revoked(order.tenant, inForce))
  // Both before the record: a crash in between does them once more, which changes nothing of what is in force.
  const applied: AppliedOrder = {
    v: 1,
    order: recorded,
    by,
    revocations: inForce.map(({ id }) => id),
    ...Object.assign({}, ...done),
    atSeconds: ports.clock.nowSeconds(),
  }
  await ports.orders.put(applied)
  return { kind: 'applied', applied }
}
