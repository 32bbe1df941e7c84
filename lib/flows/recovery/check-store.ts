// Before anything is served: does the world know more than this store (design §7)? Then it is a copy of an earlier day. What it issued
// since, and what it revoked, it has forgotten; it is put in quarantine until an operator has recovered it.
import { behindReason, type Quarantine, type Recovery, type StoreView } from '../../domain/recovery.ts'
import { type Checkpoint, checkpointNotesIn, parseCheckpoint, unverifiedText } from '../../domain/tlog/signed-note.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RecoveryStore } from '../../ports/recovery.ts'

export type CheckPorts = {
  readonly store: Pick<RecoveryStore, 'state' | 'quarantine'>
  readonly clock: Pick<Clock, 'nowSeconds'>
  /** Whether a log of ours signed the note: whoever may add to an anchor must not stop the broker, nor blind it. */
  readonly isOurs: (origin: string, note: string) => boolean
}

/** What is there to compare with: the logs, and the text of what each anchor has kept, which was read before them. */
export type Witnessed = Omit<StoreView, 'anchored'> & { readonly anchors: readonly string[] }

/** The quarantine the store is in, or null. */
export const checkStore = async (
  { store, clock, isOurs }: CheckPorts,
  { anchors, ...view }: Witnessed,
): Promise<Quarantine | null> => {
  const { quarantine, recovery } = await store.state()
  if (quarantine !== null) return quarantine
  const reason = behindReason({ ...view, anchored: largestIn(anchors, recovery?.seen ?? {}, isOurs) })
  if (reason === null) return null
  const found = { reason, sinceSeconds: clock.nowSeconds() }
  await store.quarantine(found)
  return found
}

type Kept = Checkpoint & { readonly note: string; readonly text: string }

const checkpointsIn = (anchor: string): readonly Kept[] =>
  checkpointNotesIn(anchor).flatMap((note) => {
    const text = unverifiedText(note)
    const checkpoint = parseCheckpoint(text)
    return checkpoint === null ? [] : [{ ...checkpoint, note, text }]
  })

/** Of each log, of those behind what the last recovery knew of: anchors only grow. */
const largestIn = (
  anchors: readonly string[],
  accepted: Recovery['seen'],
  isOurs: CheckPorts['isOurs'],
): ReadonlyMap<string, number> => {
  const largest = new Map<string, number>()
  for (const anchor of anchors) {
    for (const [origin, kept] of Map.groupBy(checkpointsIn(anchor), (each) => each.origin)) {
      // Own members only: a log may be called anything, `constructor` too.
      const dealtWith = Object.hasOwn(accepted, origin) ? accepted[origin] : undefined
      const known = kept.findIndex(({ text }) => dealtWith?.includes(text))
      for (const { size, note } of kept.slice(known + 1))
        if (size > (largest.get(origin) ?? 0) && isOurs(origin, note)) largest.set(origin, size)
    }
  }
  return largest
}

/** The last checkpoint of each log at each anchor: what a recovery deals with. */
export const lastIn = (anchors: readonly string[]): Recovery['seen'] => {
  const last = new Map<string, string[]>()
  for (const anchor of anchors)
    for (const [origin, kept] of Map.groupBy(checkpointsIn(anchor), (each) => each.origin))
      last.set(origin, [...(last.get(origin) ?? []), ...kept.slice(-1).map(({ text }) => text)])
  return Object.fromEntries(last)
}
