// Denials have a queue and a budget of their own: a flood of them never delays an allow (design §3.4).
import type { AuditEntry, GrantEntry } from '../domain/audit-entry.ts'
import type { Denial, GrantRecord, StoredDecision } from '../domain/grant-record.ts'
import type { FeedSpan } from './change-feed.ts'

export interface DenialQueue {
  /**
   * Takes a denial at once; made durable before the refusal is answered. Full ones within the budget of
   * lib/domain/denial-budget.ts, the rest as exact counts in a roll-up, so that the sum always adds up.
   */
  send(denial: Denial): void
}

/** Where denials are found by their id that no store has but the log. */
export interface DenialRecords {
  /**
   * Of these what is a denial, or a count of some. The first of a decision stands: it is never written over. Durable when it
   * resolves; may be repeated. Throws Unavailable.
   */
  keep(tenant: string, entries: readonly AuditEntry[]): Promise<void>
}

export interface DecisionLookup {
  /** Allow, deny or roll-up by decision id, of this tenant when one is given; null: there is none. */
  find(decisionId: string, tenant: string | null): Promise<StoredDecision | null>
}

/** `span`: ends with this record, and has no other of the tenant. Absent where no feed has numbers. */
export type RecordedGrant = GrantEntry & { readonly span?: FeedSpan }

export interface GrantRecords {
  /** Those of these allows of a tenant that there are, by decision id. Throws Unavailable. */
  of(tenant: string, decisionIds: readonly string[]): Promise<ReadonlyMap<string, RecordedGrant>>
}

export interface RecentRecords {
  /** Records of a tenant from the newest back to a time; `notIssued` where an outcome says so. Throws Unavailable. */
  since(
    tenant: string,
    sinceSeconds: number,
  ): AsyncIterable<{ readonly record: GrantRecord; readonly notIssued: boolean }>
}

export type RecordedAllow = Extract<StoredDecision, { readonly kind: 'allow' }>

/** Where records are found by the time that is in a decision id, and not in the order of their commit. */
export interface HourlyRecords {
  /** Every record of a tenant whose id is of an hour (hours since 1970), in pages. Throws Unavailable. */
  ofHour(tenant: string, hour: number): AsyncIterable<readonly RecordedAllow[]>
}
