// What the revoke function needs besides the revocations themselves: to judge an order's proof, and to know what was done.
import type { AppliedOrder, RevocationOrder } from '../domain/revocation-order.ts'

export interface OrderProofs {
  /**
   * Verifies the proof again, from what arrived and from own reads. `sender`: who the queue says sent the message, or null.
   * Returns who stands behind the order, for the record (`uid:1000`), or null: the proof does not show that it may be given.
   */
  verify(order: RevocationOrder, sender: string | null): Promise<string | null>
}

export interface AppliedOrders {
  /** Strong read by order id; null: not carried out yet, or not to the end. Throws Unavailable. */
  find(tenant: string, orderId: string): Promise<AppliedOrder | null>
  /** Durable when it resolves. The first one of an id stands. */
  put(applied: AppliedOrder): Promise<void>
}
