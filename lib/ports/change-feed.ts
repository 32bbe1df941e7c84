// What was committed, in the order of commit: what the audit stream is made of (design §3.4). Rows are handed out at least
// once; a reader that stopped begins again after what it acknowledged, and nothing unacknowledged is swept away.
import type { FeedItem } from '../domain/audit-entry.ts'

/** `change`: revocations carried out and lifted, keys, documents, removed tenants, look-ups, counts of denials. */
export const CHANGE_TOPICS = ['grant', 'not_issued', 'denial', 'change'] as const
export type ChangeTopic = (typeof CHANGE_TOPICS)[number]

/** A row that cannot be read is an item too, or it would hold up everything behind it. */
export type Change = {
  readonly sequence: number
  readonly item: FeedItem
  /** Characters of its row, by which a reader can tell how much it holds. */
  readonly length: number
}

export interface ChangeFeed {
  /**
   * Up to `limit` changes of a topic after a sequence (0: from the start), ascending. A sequence is taken when the row is
   * committed, so none below one that was read appears later. Throws Unavailable.
   */
  read(topic: ChangeTopic, afterSequence: number, limit: number): Promise<readonly Change[]>
  /** Remembers, durably, how far a reader is; never falls. 0 for a new reader holds everything back from the sweep. */
  acknowledge(reader: string, topic: ChangeTopic, sequence: number): Promise<void>
  /** Where the reader stopped, or null: it is not known. */
  acknowledged(reader: string, topic: ChangeTopic): Promise<number | null>
  /**
   * Makes changes of the counts of denials of minutes before this one, as far as they were not told yet. Their sum is exact
   * however late a count comes in. True: there may be more.
   */
  tellCounts(beforeMinute: number): Promise<boolean>
}

/** What a grant is known by, without its record. `id`: of the decision. */
export type GrantName = {
  readonly sequence: number
  readonly tenant: string
  readonly id: string
  readonly atSeconds: number
}

/** A stretch of a feed: behind the one number, up to the other. */
export type FeedSpan = { readonly after: number; readonly until: number }

export interface GrantNames {
  /** As ChangeFeed.read of grants, but that no record is read. */
  names(afterSequence: number, limit: number): Promise<readonly GrantName[]>
}

/** Who had keys moved, for what moves does not say whose word it was. */
export interface KeyOrders {
  /** Durable when it resolves. Throws Unavailable. */
  tell(order: {
    readonly tenant: string
    readonly order: 'rotate' | 'taint'
    readonly kid: string | null
    readonly by: string
    readonly reason: string
    readonly atSeconds: number
  }): Promise<void>
}

/** What an operator did that changes nothing, and is on record all the same. */
export interface LookUps {
  /** Durable when it resolves. Throws Unavailable. */
  tell(lookUp: {
    readonly tenant: string
    readonly decisionId: string
    readonly by: string
    readonly atSeconds: number
  }): Promise<void>
}
