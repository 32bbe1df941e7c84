// What the audit function takes over: one entry a decision, an outcome, a count of denials, a revocation order or a
// change of what decisions rest on, each under an id that is the same however often it is delivered. Pure.
import type { ControlChange } from './control-change.ts'
import type { Denial, DenialRollUp, GrantRecord, NotIssued } from './grant-record.ts'
import type { AppliedOrder } from './revocation-order.ts'

/** Denials counted since the last one was sent: a part of the sum of its minute, under an id of its own. */
export type RollUpPart = DenialRollUp & {
  readonly id: string
  /** Decisions counted here that can be looked up, and how many more there are. */
  readonly listed: readonly string[]
  readonly unlisted: number
}

/** `isPlain`: nothing in the record has to be escaped in JSON, as who read its text saw. Absent: not known. */
export type GrantEntry = { readonly kind: 'grant'; readonly record: GrantRecord; readonly isPlain?: boolean }

export type AuditEntry =
  | GrantEntry
  | { readonly kind: 'not_issued'; readonly outcome: NotIssued }
  | { readonly kind: 'denial'; readonly denial: Denial }
  | { readonly kind: 'roll_up'; readonly rollUp: RollUpPart }
  | { readonly kind: 'revocation'; readonly applied: AppliedOrder }
  | { readonly kind: 'change'; readonly change: ControlChange }

/** Whose log it belongs in, and the id it is deduplicated by among the entries of its kind there. */
export const nameOfEntry = (entry: AuditEntry): { readonly tenant: string; readonly id: string } => {
  switch (entry.kind) {
    case 'grant':
      return { tenant: entry.record.tenant, id: entry.record.decisionId }
    case 'not_issued':
      return { tenant: entry.outcome.tenant, id: entry.outcome.decisionId }
    case 'denial':
      return { tenant: entry.denial.tenant, id: entry.denial.decisionId }
    case 'roll_up':
      return { tenant: entry.rollUp.tenant, id: entry.rollUp.id }
    case 'revocation':
      return { tenant: entry.applied.order.tenant, id: entry.applied.order.id }
    case 'change':
      return { tenant: entry.change.tenant, id: entry.change.id }
  }
}

/** A change of the record store, as audit sees it. */
export type FeedItem =
  | { readonly kind: 'entry'; readonly entry: AuditEntry }
  /** One row that says several things of one tenant, or nothing. */
  | { readonly kind: 'entries'; readonly entries: readonly AuditEntry[] }
  /** A record or outcome was changed or removed, which nothing of ours does. */
  | { readonly kind: 'altered'; readonly tenant: string; readonly change: string; readonly eventId: string }
  /** It should be an entry, but is not one this program knows. `body`: where to find it, not what is in it. */
  | { readonly kind: 'unreadable'; readonly reason: string; readonly body: string; readonly eventId: string }
  /** Rows of no concern here. */
  | { readonly kind: 'other' }
