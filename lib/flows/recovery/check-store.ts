// Before anything is served: does the world know more than this store (design §7)? Then it is a copy of an earlier day. What it issued
// since, and what it revoked, it has forgotten; it is put in quarantine until an operator has recovered it.
import { behindReason, type Quarantine, type StoreView } from '../../domain/recovery.ts'
import { checkpointNotesIn, parseCheckpoint, unverifiedText } from '../../domain/tlog/signed-note.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RecoveryStore } from '../../ports/recovery.ts'

export type CheckPorts = {
  readonly store: Pick<RecoveryStore, 'state' | 'quarantine'>
  readonly clock: Pick<Clock, 'nowSeconds'>
}

/** What is there to compare with: the logs, and the text of what anchors have kept. */
export type Witnessed = Omit<StoreView, 'anchored' | 'accepted'> & { readonly anchors: readonly string[] }

/** The quarantine the store is in, or null. */
export const checkStore = async (
  { store, clock }: CheckPorts,
  { anchors, ...view }: Witnessed,
): Promise<Quarantine | null> => {
  const { quarantine, recovery } = await store.state()
  if (quarantine !== null) return quarantine
  const reason = behindReason({ ...view, anchored: seenIn(anchors), accepted: recovery?.seen ?? {} })
  if (reason === null) return null
  const found = { reason, sinceSeconds: clock.nowSeconds() }
  await store.quarantine(found)
  return found
}

/** The largest checkpoint of each log. Unverified: whoever can add to an anchor can at most have the store looked at. */
export const seenIn = (anchors: readonly string[]): ReadonlyMap<string, number> => {
  const seen = new Map<string, number>()
  for (const note of anchors.flatMap(checkpointNotesIn)) {
    const checkpoint = parseCheckpoint(unverifiedText(note))
    if (checkpoint !== null && checkpoint.size > (seen.get(checkpoint.origin) ?? 0))
      seen.set(checkpoint.origin, checkpoint.size)
  }
  return seen
}
