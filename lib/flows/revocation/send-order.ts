// The one way onto the queue of revoke: under the order's own id, in the name of its tenant, ahead of others where it is urgent.
import { isUrgent, type RevocationOrder } from '../../domain/revocation-order.ts'
import type { Queue } from '../../ports/queue.ts'

/** Durable when it resolves. Throws Unavailable, and then the order may be there or not: send it again, unchanged. */
export const sendOrder = (queue: Queue, order: RevocationOrder): Promise<void> =>
  queue.send(order, { group: order.tenant, dedupe: order.id, isUrgent: isUrgent(order) })
