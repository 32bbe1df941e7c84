// `on_replay: revoke` (design §3): the record of a replay becomes an order that ends the credential its evidence gave first. Orders
// are made from the change feed, so that the record, which is the order's proof, is durable before it; a crash in between makes
// the same order again.
import type { AuditEntry } from '../../domain/audit-entry.ts'
import type { Denial } from '../../domain/grant-record.ts'
import { LIMITS } from '../../domain/limits.ts'
import { orderOfReplay } from '../../domain/replay-order.ts'
import { isSameOrder, type RevocationOrder } from '../../domain/revocation-order.ts'
import type { ChangeFeed } from '../../ports/change-feed.ts'
import type { Clock } from '../../ports/clock.ts'
import type { DecisionLookup } from '../../ports/decisions.ts'
import type { Queue } from '../../ports/queue.ts'
import type { OrderProofs } from '../../ports/revocation-orders.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import { sendOrder } from './send-order.ts'

const READER = 'replays'

type ReplayPorts = {
  readonly decisions: DecisionLookup
  readonly tenants: Pick<TenantDirectory, 'current'>
}

export type OrderReplaysPorts = ReplayPorts & {
  readonly queue: Queue
  readonly clock: Pick<Clock, 'nowSeconds'>
}

export type FollowPorts = OrderReplaysPorts & {
  readonly feed: Pick<ChangeFeed, 'read' | 'acknowledge' | 'acknowledged'>
}

/** One look at what was denied since the last; true where there is more. Throws Unavailable. */
export const followReplays = async (ports: FollowPorts): Promise<boolean> => {
  const { feed } = ports
  const from = await feed.acknowledged(READER, 'denial')
  // Known from the first look on, so that the sweep waits for it.
  if (from === null) await feed.acknowledge(READER, 'denial', 0)
  const changes = await feed.read('denial', from ?? 0, LIMITS.replayRowsPerRound)
  await orderReplays(
    ports,
    changes.flatMap(({ item }) => (item.kind === 'entry' ? item.entry : [])),
  )
  const last = changes.at(-1)
  if (last !== undefined) await feed.acknowledge(READER, 'denial', last.sequence)
  return changes.length === LIMITS.replayRowsPerRound
}

/** Orders what these entries stand for, once they are durable. Throws Unavailable, and then some may be ordered: again, unchanged. */
export const orderReplays = async (ports: OrderReplaysPorts, entries: readonly AuditEntry[]): Promise<void> => {
  const { queue, clock } = ports
  for (const entry of entries) {
    const found = entry.kind === 'denial' ? await replayOrder(ports, entry.denial, clock.nowSeconds()) : null
    // What has run out is dead.
    if (found !== null && found.expSeconds > clock.nowSeconds()) await sendOrder(queue, found.order)
  }
}

const replayOrder = async (
  { decisions, tenants }: ReplayPorts,
  denial: Denial,
  orderedAtSeconds: number,
): Promise<{ readonly order: RevocationOrder; readonly expSeconds: number } | null> => {
  const { tenant, firstDecisionId } = denial
  if (denial.refusal.kind !== 'replayed' || firstDecisionId === null) return null
  const first = await decisions.find(firstDecisionId, tenant)
  const config = await tenants.current(tenant)
  if (first?.kind !== 'allow' || config === null) return null
  const order = orderOfReplay(denial, first.record, config, orderedAtSeconds)
  return order === null ? null : { order, expSeconds: first.record.credential.exp }
}

/** `replay <decision id>` stands behind the order: our own record of it, read again, and still this order by the document of now. */
export const createReplayProofs = (ports: ReplayPorts): OrderProofs => ({
  async verify(order) {
    if (order.proof.kind !== 'replay') return null
    const found = await ports.decisions.find(order.proof.decision, order.tenant)
    if (found?.kind !== 'deny') return null
    const meant = await replayOrder(ports, found.denial, order.orderedAtSeconds)
    return meant !== null && isSameOrder(meant.order, order) ? `replay ${order.proof.decision}` : null
  },
})
