// Appends to tenants' logs (design §4): entries become events, events a chain, the chain leaves of the tree. The end of the log
// is compared and set, so any number of writers may bring the same entries at once and none of them forks it.
import type { AuditEntry } from '../../domain/audit-entry.ts'
import type { GrantRecord } from '../../domain/grant-record.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { EventPlace } from '../../domain/ocsf/event.ts'
import type { EventDraft } from '../../domain/ocsf/event-draft.ts'
import { draftsOf } from '../../domain/ocsf/map-entry.ts'
import type { ChainLink } from '../../domain/ocsf/record-integrity.ts'
import { leafHash } from '../../domain/tlog/merkle.ts'
import { appendHashes, EMPTY_EDGE } from '../../domain/tlog/tiles.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { AuditLog } from '../../ports/audit-log.ts'
import type { Growth, LogHead, LogStore, NewLeaf, Salts } from '../../ports/tenant-log.ts'
import { type LogHashes, sealLeaf } from './leaf-hashes.ts'

export type AppendPorts = {
  readonly store: LogStore
  readonly salts: Salts
  readonly hashes: LogHashes
  /** Of a tenant that has no log yet; later the log itself says it. */
  readonly issuerUrl: (tenant: string) => string
  /** The record of an outcome, wherever it is by then. */
  readonly recordOf: (tenant: string, decisionId: string) => Promise<GrantRecord | null>
}

/** The name of a log: the URL it is read under, without the scheme (C2SP tlog-checkpoint). */
export const logOriginOf = (issuerUrl: string): string => `${issuerUrl.replace(/^https?:\/\//, '')}/log`

/** Whether the log of that name is the tenant's, wherever the broker is served. */
export const isLogOf = (tenant: string, origin: string): boolean => origin.endsWith(`/t/${tenant}/log`)

export const createTreeLog = (ports: AppendPorts): AuditLog => ({
  async append(tenant, entries) {
    // Each is at least one leaf.
    const atOnce = Math.min(LIMITS.logEntriesPerCommit, ports.store.room?.leaves ?? LIMITS.logEntriesPerCommit)
    for (let at = 0; at < entries.length; at += atOnce) await appendSome(ports, tenant, entries.slice(at, at + atOnce))
  },
})

const appendSome = async (ports: AppendPorts, tenant: string, entries: readonly AuditEntry[]): Promise<void> => {
  const records = await recordsOf(ports, tenant, entries)
  await appendDrafts(ports, tenant, (place) =>
    entries.flatMap((entry) => draftsOf(entry, place, (id) => records.get(id) ?? null)),
  )
}

/** What the log itself does, wherever the events come from: one commit of them that are not there yet, or as many as it takes. */
export const appendDrafts = async (
  ports: Omit<AppendPorts, 'recordOf'>,
  tenant: string,
  draftsAt: (place: EventPlace) => readonly EventDraft[],
): Promise<void> => {
  for (let lost = 0; lost < LIMITS.logAppendTriesMax; ) {
    // Head before known: what comes in between makes the commit fail, and is seen by the next try.
    const head = await ports.store.head(tenant)
    const place = { issuerUrl: head?.authority ?? ports.issuerUrl(tenant) }
    const fresh = await withoutKnown(ports.store, tenant, draftsAt(place))
    if (fresh.length === 0) return
    const growth = grow(ports, head, place.issuerUrl, fresh)
    if (!(await ports.store.commit(tenant, head?.edge.size ?? 0, growth))) lost += 1
    else if (growth.leaves.length === fresh.length) return
  }
  throw new Unavailable('changed_underway')
}

const recordsOf = async (ports: AppendPorts, tenant: string, entries: readonly AuditEntry[]) => {
  const records = new Map<string, GrantRecord>()
  for (const entry of entries) {
    if (entry.kind === 'grant') records.set(entry.record.decisionId, entry.record)
    if (entry.kind !== 'not_issued' || records.has(entry.outcome.decisionId)) continue
    const record = await ports.recordOf(tenant, entry.outcome.decisionId)
    if (record !== null) records.set(record.decisionId, record)
  }
  return records
}

/** One event an id: what is in the log, or came before in this batch, is passed over. */
const withoutKnown = async (
  store: LogStore,
  tenant: string,
  drafts: readonly EventDraft[],
): Promise<readonly EventDraft[]> => {
  const uids = drafts.map(({ uid }) => uid)
  const known = new Set(await store.known(tenant, uids))
  return drafts.filter(({ uid }) => !known.has(uid) && known.add(uid))
}

/** By as many of them as the store has room for, at least one. */
const grow = (
  { store: { room = NO_BOUND }, salts, hashes }: Pick<AppendPorts, 'store' | 'salts' | 'hashes'>,
  head: LogHead | null,
  authority: string,
  drafts: readonly EventDraft[],
): Growth => {
  const origin = head?.origin ?? logOriginOf(authority)
  const leaves: NewLeaf[] = []
  let last: ChainLink | null = head?.last ?? null
  let sequence = head?.edge.size ?? 0
  let bytes = 0
  for (const { uid, typeUid, time, unsigned } of drafts.slice(0, room.leaves)) {
    const salt = salts.next()
    const event = unsigned({ sequence, chain: origin, authority, before: last })
    const sealed = sealLeaf(hashes, salt, event, { uid, typeUid })
    const { canonical, link, commitment } = sealed
    bytes += sealed.bytes
    if (leaves.length > 0 && bytes > room.bytes) break
    leaves.push({ uid, atSeconds: Math.floor(time / 1000), salt, commitment, canonical })
    last = link
    sequence += 1
  }
  if (last === null) throw new Error('a log grows by at least one leaf')
  const { edge, grown } = appendHashes(
    hashes.sha256,
    head?.edge ?? EMPTY_EDGE,
    leaves.map(({ commitment }) => leafHash(hashes.sha256, commitment)),
  )
  return { head: { origin, authority, edge, last }, leaves, tiles: grown }
}

const NO_BOUND = { leaves: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
