// The log and the grant records say the same (design P7): everything that was acknowledged has its leaf, and every leaf of a
// grant the record it was made from, as long as records are kept.
import { type AuditEntry, type FeedItem, nameOfEntry } from '../../domain/audit-entry.ts'
import { canonicalJson } from '../../domain/canonical-json.ts'
import type { JsonObject, JsonValue } from '../../domain/claims.ts'
import type { GrantRecord } from '../../domain/grant-record.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { OcsfEvent } from '../../domain/ocsf/event.ts'
import { draftsOf, eventsOf, NotAnEvent } from '../../domain/ocsf/map-entry.ts'
import { chainOf } from '../../domain/ocsf/record-integrity.ts'
import { CHANGE_TOPICS, type ChangeFeed, type ChangeTopic, type GrantNames } from '../../ports/change-feed.ts'
import type { GrantRecords } from '../../ports/decisions.ts'
import type { Expired, LogRetention, LogStore } from '../../ports/tenant-log.ts'
import type { CheckedEvent, LeavesQuestion } from './check-leaves.ts'
import { AUDIT_READER } from './pump-feed.ts'

export type ReconcilePorts = {
  readonly feed: Pick<ChangeFeed, 'read' | 'acknowledged'> & GrantNames
  readonly store: Pick<LogStore, 'known'>
  readonly retention: Pick<LogRetention, 'expired'>
}

/** What was acknowledged as taken, is still kept, and has no leaf; of the event the log should have: `id`, `time` in milliseconds. */
export type Unlogged = { readonly id: string; readonly time: number; readonly entry: AuditEntry }

export const recordsWithoutLeaf = async (ports: ReconcilePorts, tenant: string): Promise<readonly Unlogged[]> => {
  const missing: Unlogged[] = []
  const fromMs = keptFromMs(await ports.retention.expired(tenant))
  for (const topic of CHANGE_TOPICS) {
    const acknowledged = (await ports.feed.acknowledged(AUDIT_READER, topic)) ?? 0
    const read = topic === 'grant' ? readNames : readEntries(topic)
    for (let after = 0; after < acknowledged; ) {
      const limit = LIMITS.feedRowsPerRound
      const rows = (await read(ports, tenant, after, limit)).filter(({ sequence }) => sequence <= acknowledged)
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

/** For verifyLog: an event of a grant is what its record gives, word by word. */
export const agreesWithRecord =
  (records: GrantRecords, tenant: string, nowSeconds: number): NonNullable<LeavesQuestion['checkEvents']> =>
  async (heads) => {
    const uids = heads.filter(({ type_uid }) => type_uid === GRANT_TYPE).map(({ metadata }) => metadata.uid)
    const known = await records.of(tenant, uids)
    return (checked) => {
      const { canonical, head } = checked
      if (head.type_uid !== GRANT_TYPE || !canonical.includes(GRANTED)) return null
      const record = known.get(head.metadata.uid)
      // A record goes 7 days after its evidence expired at the earliest.
      if (record === undefined)
        return head.time / 1000 > nowSeconds - LIMITS.recordKeepSeconds ? 'record_missing' : null
      return isWrittenFrom(record, checked) || isMadeFrom(record, canonical) ? null : 'record_differs'
    }
  }

const GRANT_TYPE = 300204
const GRANTED = '"status_code":"granted"'

/** Whether this version would write the very text, but for the fingerprint, which was found to be its own: then nothing is parsed. */
const isWrittenFrom = (record: GrantRecord, { index, canonical, cut, before }: CheckedEvent): boolean => {
  const chain = chainOf(canonical)
  if (chain === null || before === undefined) return false
  const [draft] = draftsOf({ kind: 'grant', record }, { issuerUrl: chain.authority }, () => record)
  const { text, cutAt } = draft!.unsigned({ ...chain, sequence: index, before })
  return (
    cutAt === cut.from &&
    canonical.slice(0, cut.from) === text.slice(0, cutAt) &&
    canonical.slice(cut.to) === text.slice(cutAt)
  )
}

const isMadeFrom = (record: GrantRecord, canonical: string): boolean => {
  const event = JSON.parse(canonical) as OcsfEvent
  const [attestation] = event['attestation_list'] as readonly { readonly authority_uid: string }[]
  const [made] = eventsOf({ kind: 'grant', record }, { issuerUrl: attestation!.authority_uid }, () => record)
  return isWithin(withoutIntegrity(event), made!)
}

const withoutIntegrity = (event: OcsfEvent): JsonObject => {
  const { attestation_list: _, metadata, ...rest } = event
  // The version that wrote the event may be an older one.
  const { sequence: __, profiles: ___, product: ____, ...kept } = metadata
  return { ...rest, metadata: kept }
}

/** A later version may say more of a record, never something else. */
const isWithin = (before: JsonValue, after: JsonValue | undefined): boolean => {
  if (typeof before !== 'object' || before === null || Array.isArray(before) || after === undefined)
    return after !== undefined && canonicalJson(before) === canonicalJson(after)
  if (typeof after !== 'object' || after === null || Array.isArray(after)) return false
  return Object.entries(before).every(([name, member]) => isWithin(member, (after as JsonObject)[name]))
}
