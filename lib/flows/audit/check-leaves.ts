// Checks the leaves of a stretch of a log: every event against its commitment, its fingerprint, the event before it and its record;
// every commitment against its tile. A stretch is checked by itself, so several may be at once, on threads of their own.

import type { EventDraft } from '../../domain/ocsf/event-draft.ts'
import { type EventHead, headOfEvent } from '../../domain/ocsf/event-head.ts'
import { NotAnEvent } from '../../domain/ocsf/map-entry.ts'
import { type ChainLink, type Cut, chainOf, cutOfSame, follows, linkOf } from '../../domain/ocsf/record-integrity.ts'
import { HASH_BYTES, isSameHash, leafHash } from '../../domain/tlog/merkle.ts'
import { entriesOf, rootOfTile, TILE_WIDTH } from '../../domain/tlog/tiles.ts'
import type { LogSource, StoredLeaf } from '../../ports/tenant-log.ts'
import { hashesOfLeaf, type LeafHashes, type LogHashes } from './leaf-hashes.ts'
import type { Flaw, LogProblem } from './log-problems.ts'

/** An event that is the one that was committed to, and in its place. */
export type CheckedEvent = { readonly canonical: string; readonly head: EventHead }

/** What the leaves of a bundle must agree with. */
export type AgainstRecords = {
  /**
   * What the event is made from that the store says a leaf has, if nothing was altered: written anew and found to be the very
   * text, nothing else has to be asked of it. Null: that is not known.
   */
  readonly draftOf: (leaf: StoredLeaf, issuerUrl: string) => EventDraft | null
  /** Told of each that is found so. */
  readonly found?: (leaf: StoredLeaf) => void
  /** Of an event that is not found so. */
  readonly check: (event: CheckedEvent) => Promise<LogProblem | null>
}

export type LeavesQuestion = {
  readonly source: Pick<LogSource, 'tile' | 'leaves'>
  readonly tenant: string
  /** Leaves from the front whose events may be gone. */
  readonly expired: number
  /** Asked once for the leaves of a bundle, of which nothing is checked yet. */
  readonly againstRecords?: ((leaves: readonly StoredLeaf[]) => Promise<AgainstRecords>) | undefined
}

/** Whole bundles, but for the last of a log. */
export type Stretch = { readonly start: number; readonly width: number }

export type CheckedLeaves = {
  /** Leaf hashes, one behind the other, of the bundles in front of the one that has a flaw. */
  readonly hashes: Uint8Array
  /** Of each whole bundle of those its root, which is half of all there is to hash in a tree. */
  readonly roots: Uint8Array
  /** How many events were found good. */
  readonly events: number
  readonly flaw: (Flaw & { readonly index: number }) | null
  /** Undefined behind an event that is no longer kept. */
  readonly last: ChainLink | null | undefined
}

/** The event a stretch begins behind. Where it is no good the stretch it belongs to says so. */
export const linkBefore = async (
  hashes: LogHashes,
  { source }: LeavesQuestion,
  start: number,
): Promise<ChainLink | null | undefined> => {
  if (start === 0) return null
  const [leaf] = (await source.leaves(start - 1, 1)) ?? []
  // Where it is no longer kept, the first that is has another index, and is nobody's predecessor here.
  const head = leaf?.index === start - 1 ? headOf(leaf.canonical) : null
  if (leaf === undefined || head === null) return undefined
  const { fingerprint } = hashesOfLeaf(hashes, leaf.salt, leaf.canonical)
  return (fingerprint && linkOf(namedIn(head), leaf.canonical, fingerprint)) ?? undefined
}

export const checkLeaves = async (
  hashes: LogHashes,
  question: LeavesQuestion,
  { start, width }: Stretch,
  before: ChainLink | null | undefined,
): Promise<CheckedLeaves> => {
  const walk: Walk = { last: before, place: null, events: 0, hashes: new Uint8Array(width * HASH_BYTES) }
  const roots = new Uint8Array(Math.floor(width / TILE_WIDTH) * HASH_BYTES)
  let flaw: CheckedLeaves['flaw'] = null
  let sound = 0
  while (sound < width) {
    const bundle = { start: start + sound, width: Math.min(TILE_WIDTH, width - sound) }
    flaw = await checkBundle(hashes, question, bundle, walk, sound)
    if (flaw !== null) break
    const leaves = walk.hashes.subarray(sound * HASH_BYTES, (sound + bundle.width) * HASH_BYTES)
    if (bundle.width === TILE_WIDTH) roots.set(rootOfTile(hashes.sha256, leaves), (sound / TILE_WIDTH) * HASH_BYTES)
    sound += bundle.width
  }
  return { hashes: walk.hashes.subarray(0, sound * HASH_BYTES), roots, events: walk.events, flaw, last: walk.last }
}

/** `place`: what the last event says it is in, where it is as recorded. Undefined `last`: the event before is no longer kept. */
type Walk = {
  last: ChainLink | null | undefined
  place: ReturnType<typeof chainOf>
  events: number
  readonly hashes: Uint8Array
}

/** `at`: where its hashes belong. */
const checkBundle = async (
  hashes: LogHashes,
  question: LeavesQuestion,
  { start, width }: Stretch,
  walk: Walk,
  at: number,
): Promise<CheckedLeaves['flaw']> => {
  const { source, tenant, expired } = question
  const index = start / TILE_WIDTH
  const bundle = await source.tile({ level: 'entries', index, width })
  const leaves = await source.leaves(start, width)
  const tile = await source.tile({ level: 0, index, width })
  const entries = bundle === undefined ? null : bundle === null ? [] : (entriesOf(bundle, width) ?? [])
  if (entries === null && leaves === null) return { problem: 'entry_missing', index: start }
  const events = new Map(leaves?.map((leaf) => [leaf.index, leaf]))
  const invented = leaves === null ? null : inventedAmong(leaves, events.size, start)
  const against = leaves === null ? undefined : await question.againstRecords?.(leaves)
  for (let offset = 0; offset < width; offset += 1) {
    const leafIndex = start + offset
    const leaf = events.get(leafIndex)
    if (leaf === undefined && leaves !== null) {
      if (leafIndex >= expired) return { problem: 'event_missing', index: leafIndex }
      walk.last = undefined
    }
    if (leafIndex === invented) return { problem: 'event_invented', index: leafIndex }
    const anew = leaf === undefined ? null : writtenAnew(walk, leaf, against)
    const made = leaf === undefined ? null : hashesOfLeaf(hashes, leaf.salt, leaf.canonical, anew?.cut)
    const entry = entries === null ? made?.commitment : entries[offset]
    if (entry === undefined) return { problem: 'entry_missing', index: leafIndex }
    if (leaf !== undefined && made !== null) {
      if (!isSameHash(made.commitment, entry)) return { problem: 'event_altered', index: leafIndex }
      const found = { leaf, fingerprint: made.fingerprint }
      const isFound = anew !== null && isAsRecorded(walk, found, anew)
      // What it is of may go before it does.
      const kept = leafIndex >= expired ? against : undefined
      const problem = isFound ? null : await checkPlaced(tenant, walk, found, kept)
      if (problem !== null) return { problem, index: leafIndex }
      // Receipts and repair find an event by what the store says it is called.
      if (leaf.uid !== undefined && leaf.uid !== walk.last?.uid) return { problem: 'event_misplaced', index: leafIndex }
      if (isFound) against?.found?.(leaf)
      walk.events += 1
    }
    const hash = leafHash(hashes.sha256, entry)
    if (tile !== undefined && (tile === null || !isAt(tile, offset, hash)))
      return { problem: 'tile_altered', index: leafIndex }
    walk.hashes.set(hash, (at + offset) * HASH_BYTES)
  }
  return invented === null ? null : { problem: 'event_invented', index: invented }
}

/** Where there is an event that no commitment is of: one before these, one without an index, or a second of the same. `count`: of indices. */
const inventedAmong = (leaves: readonly StoredLeaf[], count: number, start: number): number | null => {
  if (count === leaves.length && leaves.every(({ index }) => index >= start)) return null
  const seen = new Set<number>()
  let next = start
  for (const { index } of leaves) {
    if (seen.has(index)) return index
    if (!(index >= start)) return next
    seen.add(index)
    next = index + 1
  }
  return null
}

type Anew = Pick<EventDraft, 'uid' | 'typeUid'> & { readonly place: NonNullable<Walk['place']>; readonly cut: Cut }

/**
 * From its record, for the tenant and place it must have and behind the event before: where that is its very text, but for its
 * fingerprint, all of that is true of it, and of what it says. Null says nothing yet.
 */
const writtenAnew = (walk: Walk, leaf: StoredLeaf, against: AgainstRecords | undefined): Anew | null => {
  if (against === undefined || walk.last === undefined) return null
  const place = walk.place ?? chainOf(leaf.canonical)
  if (place === null) return null
  try {
    const draft = against.draftOf(leaf, place.authority)
    const unsigned = draft?.unsigned({ ...place, sequence: leaf.index, before: walk.last }) ?? null
    const cut = unsigned === null ? null : cutOfSame(unsigned, leaf.canonical)
    return draft === null || cut === null ? null : { uid: draft.uid, typeUid: draft.typeUid, place, cut }
  } catch (error) {
    if (!(error instanceof NotAnEvent)) throw error
    return null
  }
}

/** Whether it has the fingerprint it must have too: then the next is behind it. */
const isAsRecorded = (walk: Walk, { leaf, fingerprint }: Found, anew: Anew): boolean => {
  const link = fingerprint === null ? null : linkOf(anew, leaf.canonical, fingerprint)
  if (link === null) return false
  walk.place = anew.place
  walk.last = link
  return true
}

type Found = { readonly leaf: StoredLeaf } & Pick<LeafHashes, 'fingerprint'>

const checkPlaced = async (
  tenant: string,
  walk: Walk,
  { leaf: { index, canonical }, fingerprint }: Found,
  against: AgainstRecords | undefined,
): Promise<LogProblem | null> => {
  const head = headOf(canonical)
  const link = head === null || fingerprint === null ? null : linkOf(namedIn(head), canonical, fingerprint)
  if (head === null || fingerprint === null || link === null) return 'event_altered'
  if (head.metadata['sequence'] !== index || head.metadata.tenant_uid !== tenant) return 'event_misplaced'
  if (walk.last !== undefined && !follows(canonical, fingerprint.cut, walk.last)) return 'chain_broken'
  const problem = (await against?.check({ canonical, head })) ?? null
  if (problem !== null) return problem
  walk.last = link
  walk.place = null
  return null
}

const namedIn = ({ metadata: { uid }, type_uid: typeUid }: EventHead) => ({ uid, typeUid })

const isAt = (tile: Uint8Array, at: number, hash: Uint8Array): boolean =>
  isSameHash(hash, tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))

/** Null: it is no event. */
const headOf = (canonical: string): EventHead | null => {
  try {
    const head = headOfEvent(canonical) as EventHead | null
    return typeof head === 'object' && typeof head?.metadata === 'object' ? head : null
  } catch {
    return null
  }
}
