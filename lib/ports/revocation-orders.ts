// What the revoke function needs besides the revocations themselves: to judge an order's proof, and to know what was done.
import type { Revocation } from '../domain/revocation.ts'
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

/** What a hook did, as the record of the order keeps it. A further kind of credential adds its member to AppliedOrder. */
export type HookOutcome = Pick<AppliedOrder, 'roles'>

/** Ends credentials of one kind that live outside of the broker, as sessions of a cloud do. */
export interface RevocationHook {
  /**
   * `revocations`: of one order, in force by now. Nothing where none of its kind is concerned. Throws Unavailable: some may
   * have ended and some not; safe to repeat.
   */
  revoked(tenant: string, revocations: readonly Revocation[]): Promise<HookOutcome>
}
