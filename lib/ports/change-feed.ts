// What was committed, in the order of commit: what the audit stream is made of (design §3.4). Rows are handed out at least
// once; a reader that stopped begins again after what it acknowledged, and nothing unacknowledged is swept away.
import type { Denial, GrantRecord, NotIssued } from '../domain/grant-record.ts'

export type Change =
  | { readonly topic: 'grant'; readonly sequence: number; readonly record: GrantRecord }
  | { readonly topic: 'not_issued'; readonly sequence: number; readonly outcome: NotIssued }
  | { readonly topic: 'denial'; readonly sequence: number; readonly denial: Denial }

export type ChangeTopic = Change['topic']

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
}
