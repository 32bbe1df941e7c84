// Who is told of revocations, how far each is, and what each answered. A receiver begins with the document that names it: it is
// owed every change that is committed after that document, under any number of processes and after any crash.
import type { ReceiverState } from '../domain/receiver-state.ts'
import type { RevocationChange } from '../domain/revocation-set.ts'

export type ReceiverKey = { readonly tenant: string; readonly name: string }

/** A change that the receiver was not seen to take. `problem`: what came of it last; null: nothing yet. */
export type PendingChange = RevocationChange & { readonly problem: string | null }

/** What came of one SET. `problem` null: the receiver has it for good. */
export type SetAnswer = {
  readonly seq: number
  readonly jti: string
  readonly problem: string | null
  readonly status: number | null
  readonly bytes: number | null
}

export interface ReceiverQueue {
  /**
   * In the order of their changes, at most `max`; behind them those the receiver refused (SET_REFUSALS), the one tried longest ago
   * first. INVARIANT: a change stays here until an answer without a problem was recorded for it.
   */
  pending(receiver: ReceiverKey, max: number): Promise<readonly PendingChange[]>
  /** Changes by number; of those there are. */
  changes(tenant: string, seqs: readonly number[]): Promise<readonly RevocationChange[]>
  /**
   * Records answers, durably. The first answer of a SET and the one that ends its problem are each told to the audit stream, a
   * further problem is not. `retryAtMs`: when a failed push is due again.
   */
  answer(receiver: ReceiverKey, answers: readonly SetAnswer[], atSeconds: number, retryAtMs?: number): Promise<void>
}

/** The pushing side: one process at a time pushes to a receiver, so that changes arrive in their order. */
export interface DuePushes {
  /**
   * Webhooks with something pending that may be tried now and that nobody else has leased, of a tenant; of all, where it is null.
   * What is new may, beside what was refused.
   */
  due(holder: string, nowMs: number, tenant: string | null): Promise<readonly ReceiverKey[]>
  /** For `holder` alone until `nowMs` + LIMITS.receiverLeaseMs; the attempts that failed so far. Null: somebody else has it. */
  lease(receiver: ReceiverKey, holder: string, nowMs: number): Promise<{ readonly attempts: number } | null>
  /** Leaves it to others; nothing, when the lease is lost. */
  release(receiver: ReceiverKey, holder: string): Promise<void>
}

export interface ReceiverStates {
  /** Of a tenant; of all, where it is null. */
  list(tenant: string | null): Promise<readonly ReceiverState[]>
}
