// The revocations of a tenant in the order of their changes: what the feed is made of.
import type { FeedChange } from '../domain/revocation-feed.ts'

export interface RevocationChanges {
  /**
   * How many changes there have been; 0: none yet. INVARIANT: it never falls and no two changes share a number, on any number
   * of nodes: each is counted in the same atomic write.
   */
  head(tenant: string): Promise<number>
  /**
   * Revocations whose last change is behind the cursor, in that order, at most `max`; `next` is the cursor behind them. One
   * consistent read: at `head` nothing is missing that was changed before the call. Throws Unavailable.
   */
  since(
    tenant: string,
    cursor: number,
    max: number,
  ): Promise<{ readonly head: number; readonly next: number; readonly changes: readonly FeedChange[] }>
}
