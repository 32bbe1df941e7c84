// The log has all that was recorded (design P7): everything that was acknowledged has its leaf.
import { type AuditEntry, type FeedItem, nameOfEntry } from '../../domain/audit-entry.ts'
import { LIMITS } from '../../domain/limits.ts'
import { draftsOf, NotAnEvent } from '../../domain/ocsf/map-entry.ts'
import {
  CHANGE_TOPICS,
  type ChangeFeed,
  type ChangeTopic,
  type FeedSpan,
  type GrantNames,
} from '../../ports/change-feed.ts'
import type { Expired, LogRetention, LogStore } from '../../ports/tenant-log.ts'
import { AUDIT_READER } from './pump-feed.ts'

export type ReconcilePorts = {
  readonly feed: Pick<ChangeFeed, 'read' | 'acknowledged'> & GrantNames
  readonly store: Pick<LogStore, 'known'>
  readonly retention: Pick<LogRetention, 'expired'>
}

/** What was acknowledged as taken, is still kept, and has no leaf; of the event the log should have: `id`, `time` in milliseconds. */
export type Unlogged = { readonly id: string; readonly time: number; readonly entry: AuditEntry }

/** `logged`: in these stretches of the feed every grant of the tenant was found to have its leaf; they are not looked at again. */
export const recordsWithoutLeaf = async (
  ports: ReconcilePorts,
  tenant: string,
  logged: readonly FeedSpan[] = [],
): Promise<readonly Unlogged[]> => {
  const missing: Unlogged[] = []
  const fromMs = keptFromMs(await ports.retention.expired(tenant))
  for (const topic of CHANGE_TOPICS) {
    const acknowledged = (await ports.feed.acknowledged(AUDIT_READER, topic)) ?? 0
    const read = topic === 'grant' ? readNames : readEntries(topic)
    for (const { after: from, until } of gapsOf(topic === 'grant' ? logged : [], acknowledged))
      for (let after = from; after < until; ) {
        const limit = Math.min(LIMITS.feedRowsPerRound, until - after)
        const rows = (await read(ports, tenant, after, limit)).filter(({ sequence }) => sequence <= until)
        const owed = rows.flatMap(({ owes }) => owes).filter(({ time }) => time >= fromMs)
        const known = await ports.store.known(
          tenant,
          owed.map(({ id }) => id),
        )
        for (const { id, time, entry } of owed) {
          const found = known.has(id) ? null : await entry()
          if (found !== null) missing.push({ id, time, entry: found })
        }
        if (rows.length < limit) break
        after = rows.at(-1)!.sequence
      }
  }
  return missing
}

/** What is between stretches, from the beginning up to a number. */
const gapsOf = (spans: readonly FeedSpan[], end: number): FeedSpan[] => {
  const gaps: FeedSpan[] = []
  let after = 0
  for (const span of spans.toSorted((a, b) => a.after - b.after)) {
    if (span.after > after) gaps.push({ after, until: Math.min(span.after, end) })
    after = Math.max(after, span.until)
  }
  if (after < end) gaps.push({ after, until: end })
  return gaps.filter((gap) => gap.after < gap.until)
}

/** The checkpoint is of that minute, and what is older was in the log and is gone from it: to bring it again would undo that. */
export const keptFromMs = (expired: Expired | null): number => (expired === null ? 0 : (expired.atSeconds + 60) * 1000)

/** `entry`: null where it could not become an event. It was put aside with an alarm: the log does not owe it. */
type Owed = { readonly id: string; readonly time: number; readonly entry: () => Promise<AuditEntry | null> }
type Row = { readonly sequence: number; readonly owes: readonly Owed[] }
type Read = (
  ports: Pick<ReconcilePorts, 'feed'>,
  tenant: string,
  after: number,
  limit: number,
) => Promise<readonly Row[]>

const readEntries =
  (topic: ChangeTopic): Read =>
  async ({ feed }, tenant, after, limit) =>
    (await feed.read(topic, after, limit)).map(({ sequence, item }) => ({ sequence, owes: owedOf(item, tenant) }))

/** Almost all of a log is grants: their records are read where the log has none of their name. */
const readNames: Read = async ({ feed }, tenant, after, limit) =>
  (await feed.names(after, limit)).map((name) => ({
    sequence: name.sequence,
    owes:
      name.tenant !== tenant
        ? []
        : [
            {
              id: name.id,
              time: name.atSeconds * 1000,
              async entry() {
                const [row] = await readEntries('grant')({ feed }, tenant, name.sequence - 1, 1)
                return (await row?.owes[0]?.entry()) ?? null
              },
            },
          ],
  }))

const owedOf = (item: FeedItem, tenant: string): readonly Owed[] =>
  item.kind !== 'entry' || nameOfEntry(item.entry).tenant !== tenant
    ? []
    : owedFor(item.entry).map((owed) => ({ ...owed, entry: async () => owed.entry }))

/** The event that the log should have of an entry; none where it cannot become one. */
export const owedFor = (entry: AuditEntry): readonly Unlogged[] => {
  try {
    const [draft] = draftsOf(entry, { issuerUrl: '' }, () => null)
    return draft === undefined ? [] : [{ id: draft.uid, time: draft.time, entry }]
  } catch (error) {
    if (error instanceof NotAnEvent) return []
    throw error
  }
}
