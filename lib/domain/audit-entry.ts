// What the audit function takes over: one entry a decision, an outcome, or a count of denials, each under an id that is the
// same however often it is delivered. Pure.
import type { Denial, DenialRollUp, GrantRecord, NotIssued } from './grant-record.ts'

/** Denials counted since the last one was sent: a part of the sum of its minute, under an id of its own. */
export type RollUpPart = DenialRollUp & {
  readonly id: string
  /** Decisions counted here that can be looked up, and how many more there are. */
  readonly listed: readonly string[]
  readonly unlisted: number
}

export type AuditEntry =
  | { readonly kind: 'grant'; readonly record: GrantRecord }
  | { readonly kind: 'not_issued'; readonly outcome: NotIssued }
  | { readonly kind: 'denial'; readonly denial: Denial }
  | { readonly kind: 'roll_up'; readonly rollUp: RollUpPart }

export type AuditEntryKind = AuditEntry['kind']

export const tenantOfEntry = (entry: AuditEntry): string => bodyOf(entry).tenant

/** The record itself, as it was made. */
export const bodyOf = (entry: AuditEntry): GrantRecord | NotIssued | Denial | RollUpPart => {
  switch (entry.kind) {
    case 'grant':
      return entry.record
    case 'not_issued':
      return entry.outcome
    case 'denial':
      return entry.denial
    case 'roll_up':
      return entry.rollUp
  }
}

/** Unique among the entries of its kind and tenant: what it is deduplicated by. */
export const idOfEntry = (entry: AuditEntry): string => {
  const body = bodyOf(entry)
  return 'decisionId' in body ? body.decisionId : body.id
}

/** Ids the entry is found by. */
export const lookUpIdsOf = (entry: AuditEntry): readonly string[] =>
  entry.kind === 'roll_up' ? [...new Set([entry.rollUp.id, ...entry.rollUp.listed])] : [idOfEntry(entry)]

/** A change of the record store, as audit sees it. */
export type FeedItem =
  | { readonly kind: 'entry'; readonly entry: AuditEntry }
  /** A record or outcome was changed or removed, which nothing of ours does. */
  | { readonly kind: 'altered'; readonly tenant: string; readonly change: string; readonly eventId: string }
  /** It should be an entry, but is not one this program knows. `body`: where to find it, not what is in it. */
  | { readonly kind: 'unreadable'; readonly reason: string; readonly body: string; readonly eventId: string }
  /** Rows of no concern here. */
  | { readonly kind: 'other' }
