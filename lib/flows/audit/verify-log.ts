// Verifies a tenant's log from its first leaf to its last, in one pass and flat memory: every event against its commitment, its
// fingerprint and the event before it; every commitment against the tiles; every root against what was signed or seen before.
import { type EventHead, headOfEvent } from '../../domain/ocsf/event-head.ts'
import { type ChainLink, follows, linkOf } from '../../domain/ocsf/record-integrity.ts'
import { HASH_BYTES, type Hash, isSameHash, leafHash } from '../../domain/tlog/merkle.ts'
import {
  type Checkpoint,
  type NoteKey,
  openNote,
  parseCheckpoint,
  type VerifyEd25519,
} from '../../domain/tlog/signed-note.ts'
import { appendHashes, type Edge, EMPTY_EDGE, entriesOf, rootOfEdge, TILE_WIDTH } from '../../domain/tlog/tiles.ts'
import type { Expired, LogSource, StoredLeaf } from '../../ports/tenant-log.ts'
import { commitmentOf, type LogHashes } from './append-log.ts'

export const LOG_PROBLEMS = {
  checkpoint_missing: 'there is no checkpoint',
  checkpoint_invalid: 'the checkpoint is not signed by a key that is trusted, or is malformed',
  other_log: 'a checkpoint is of a log of another name',
  forked: 'the log is not the one that an earlier checkpoint was signed for',
  truncated: 'the log is shorter than a checkpoint that was seen before',
  entry_missing: 'a commitment is missing',
  event_missing: 'an event is missing',
  expired_unproven: 'events are gone, and no checkpoint that is trusted shows how old they are',
  expired_unasked: 'events are gone that no version of the tenant document lets go, or not yet',
  event_altered: 'an event is not the one that was committed to',
  event_misplaced: 'an event does not say its own index or tenant',
  chain_broken: 'an event does not follow the one before it',
  tile_altered: 'a hash of a tile is not that of what it is made from',
  root_differs: 'the tree is not the one that was signed',
  record_missing: 'an event is of a grant record that does not exist',
  record_differs: 'an event says something else than its grant record',
} as const

export type LogProblem = keyof typeof LOG_PROBLEMS

export type Verified = {
  readonly origin: string | null
  readonly size: number
  /** Leaves that were found good before the first that was not. */
  readonly good: number
  readonly events: number
  /** Leaves from the front whose events are no longer kept: verified as commitments. */
  readonly expired: number
  readonly earlier: number
  /** `index`: of the first leaf that is bad or may be; null: no leaf is. */
  readonly bad: { readonly problem: LogProblem; readonly index: number | null } | null
}

export type VerifyPorts = { readonly hashes: LogHashes; readonly verify: VerifyEd25519 }

export type VerifyQuestion = {
  readonly source: LogSource
  readonly keys: readonly NoteKey[]
  readonly tenant: string
  /** Notes seen before: anchors, and what the log kept itself. Each has to be of a beginning of this log. */
  readonly earlier: readonly string[]
  /** Whether the tenant no longer keeps what is said to have expired; absent: that is not known here. */
  readonly isDue?: (expired: Expired) => Promise<boolean>
  /** What else an event must agree with. */
  readonly checkEvent?: (event: CheckedEvent) => Promise<LogProblem | null>
}

/** An event that is the one that was committed to, and in its place. */
export type CheckedEvent = {
  readonly index: number
  readonly canonical: string
  readonly head: EventHead
  readonly link: ChainLink
  /** Undefined: the event before is no longer kept. */
  readonly before: ChainLink | null | undefined
}

class Bad extends Error {
  readonly problem: LogProblem
  readonly index: number | null
  constructor(problem: LogProblem, index: number | null) {
    super(problem)
    this.problem = problem
    this.index = index
  }
}

/** Throws what the source throws; what is wrong with the log is in the answer. */
export const verifyLog = async (ports: VerifyPorts, question: VerifyQuestion): Promise<Verified> => {
  const walk: Walk = { edge: EMPTY_EDGE, last: null, events: 0, expired: 0, checked: 0, good: 0 }
  let checkpoint: Checkpoint | null = null
  try {
    checkpoint = await currentCheckpoint(ports, question)
    const expired = (await question.source.expired?.()) ?? null
    const earlier = new Set([...question.earlier, ...(expired === null ? [] : [expired.note])])
    walk.expired = expired === null ? 0 : await provenExpired(ports, question, expired)
    await walkLeaves(ports, { ...question, earlier: [...earlier] }, checkpoint, walk)
    return answerOf(checkpoint, walk, null)
  } catch (error) {
    if (!(error instanceof Bad)) throw error
    return answerOf(checkpoint, walk, { problem: error.problem, index: error.index })
  }
}

/** `last`: undefined behind an event that is no longer kept. */
type Walk = {
  edge: Edge
  last: ChainLink | null | undefined
  events: number
  expired: number
  checked: number
  good: number
}

const answerOf = (checkpoint: Checkpoint | null, walk: Walk, bad: Verified['bad']): Verified => ({
  origin: checkpoint?.origin ?? null,
  size: checkpoint?.size ?? 0,
  good: walk.good,
  events: walk.events,
  expired: walk.expired,
  earlier: walk.checked,
  bad,
})

const opened = ({ hashes, verify }: VerifyPorts, note: string, keys: readonly NoteKey[]): Checkpoint => {
  const text = openNote({ sha256: hashes.sha256, verify }, note, keys)
  const checkpoint = text === null ? null : parseCheckpoint(text)
  if (checkpoint === null) throw new Bad('checkpoint_invalid', null)
  return checkpoint
}

const currentCheckpoint = async (ports: VerifyPorts, { source, keys }: VerifyQuestion): Promise<Checkpoint> => {
  const note = await source.checkpoint()
  if (note === null) throw new Bad('checkpoint_missing', null)
  return opened(ports, note, keys)
}

/** A checkpoint signed when all of them were there already: nothing younger is gone. Its own root is checked like any other. */
const provenExpired = async (
  { hashes, verify }: VerifyPorts,
  { keys, isDue }: VerifyQuestion,
  expired: Expired,
): Promise<number> => {
  const { note, leaves } = expired
  const text = openNote({ sha256: hashes.sha256, verify }, note, keys)
  const size = text === null ? 0 : (parseCheckpoint(text)?.size ?? 0)
  if (size < leaves) throw new Bad('expired_unproven', 0)
  if ((await isDue?.(expired)) === false) throw new Bad('expired_unasked', 0)
  return leaves
}

const walkLeaves = async (
  ports: VerifyPorts,
  question: VerifyQuestion,
  checkpoint: Checkpoint,
  walk: Walk,
): Promise<void> => {
  const earlier = question.earlier.map((note) => opened(ports, note, question.keys)).sort((a, b) => a.size - b.size)
  if (earlier.some(({ origin }) => origin !== checkpoint.origin)) throw new Bad('other_log', null)
  for (let start = 0; start < checkpoint.size; start += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, checkpoint.size - start)
    const hashes = await checkedHashes(ports, question, walk, start, width)
    // Up to each size that a checkpoint was seen of, so that the first one that does not fit says where to look.
    for (let at = 0; at < width; ) {
      const next = earlier[walk.checked]
      const upTo = next !== undefined && next.size <= start + width ? next.size - start : width
      await grow(ports, question.source, walk, hashes.slice(at, upTo))
      at = upTo
      while (earlier[walk.checked]?.size === start + at) checkEarlier(ports, earlier, walk)
    }
  }
  await checkEdge(question.source, walk.edge)
  if (!isSameHash(rootOfEdge(ports.hashes.sha256, walk.edge), checkpoint.root))
    throw new Bad('root_differs', earlier[walk.checked - 1]?.size ?? 0)
  if (walk.checked < earlier.length) throw new Bad('truncated', checkpoint.size)
  walk.good = checkpoint.size
}

const checkEarlier = ({ hashes }: VerifyPorts, earlier: readonly Checkpoint[], walk: Walk): void => {
  const { root } = earlier[walk.checked]!
  const before = earlier[walk.checked - 1]?.size ?? 0
  if (!isSameHash(rootOfEdge(hashes.sha256, walk.edge), root)) throw new Bad('forked', before)
  walk.checked += 1
}

/** The leaf hashes of one bundle, each from an entry that agrees with its event and with its tile. */
const checkedHashes = async (
  ports: VerifyPorts,
  question: VerifyQuestion,
  walk: Walk,
  start: number,
  width: number,
): Promise<Hash[]> => {
  const { source } = question
  const { sha256 } = ports.hashes
  const index = start / TILE_WIDTH
  const bundle = await source.tile({ level: 'entries', index, width })
  const leaves = await source.leaves(start, width)
  const tile = await source.tile({ level: 0, index, width })
  const entries = bundle === undefined ? null : bundle === null ? [] : (entriesOf(bundle, width) ?? [])
  if (entries === null && leaves === null) throw new Bad('entry_missing', start)
  const byIndex = new Map(leaves?.map((leaf) => [leaf.index, leaf]))
  const hashes: Hash[] = []
  for (let at = 0; at < width; at += 1) {
    const leafIndex = start + at
    const leaf = byIndex.get(leafIndex) ?? null
    const isExpired = leaf === null && leafIndex < walk.expired
    if (leaves !== null && leaf === null && !isExpired) throw new Bad('event_missing', leafIndex)
    if (isExpired) walk.last = undefined
    const entry = entries === null && leaf !== null ? commitmentOf(sha256, leaf.salt, leaf.canonical) : entries?.[at]
    if (entry === undefined) throw new Bad('entry_missing', leafIndex)
    if (leaf !== null) await checkLeaf(ports, question, walk, leaf, entry)
    const hash = leafHash(sha256, entry)
    if (
      tile === null ||
      (tile !== undefined && !isSameHash(hash, tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)))
    )
      throw new Bad('tile_altered', leafIndex)
    hashes.push(hash)
    walk.good = leafIndex + 1
  }
  return hashes
}

const checkLeaf = async (
  { hashes }: VerifyPorts,
  { tenant, checkEvent }: VerifyQuestion,
  walk: Walk,
  { index, salt, canonical }: StoredLeaf,
  entry: Uint8Array,
): Promise<void> => {
  if (!isSameHash(commitmentOf(hashes.sha256, salt, canonical), entry)) throw new Bad('event_altered', index)
  const head = headOf(canonical)
  const link = head === null ? null : linkOf(head, canonical, hashes.sha256Hex)
  if (head === null || link === null) throw new Bad('event_altered', index)
  if (head.metadata['sequence'] !== index || head.metadata.tenant_uid !== tenant)
    throw new Bad('event_misplaced', index)
  const before = walk.last
  if (before !== undefined && !follows(canonical, before)) throw new Bad('chain_broken', index)
  const problem = (await checkEvent?.({ index, canonical, head, link, before })) ?? null
  if (problem !== null) throw new Bad(problem, index)
  walk.last = link
  walk.events += 1
}

/** Null: it is no event. */
const headOf = (canonical: string): EventHead | null => {
  try {
    const head = headOfEvent(canonical) as EventHead | null
    return typeof head === 'object' && typeof head?.metadata === 'object' ? head : null
  } catch {
    return null
  }
}

const grow = async (
  { hashes: { sha256 } }: VerifyPorts,
  source: LogSource,
  walk: Walk,
  hashes: readonly Hash[],
): Promise<void> => {
  const { edge, grown } = appendHashes(sha256, walk.edge, hashes)
  walk.edge = edge
  for (const { level, index, bytes } of grown) {
    if (level === 0 || bytes.length < TILE_WIDTH * HASH_BYTES) continue
    const tile = await source.tile({ level, index, width: TILE_WIDTH })
    if (tile === null || (tile !== undefined && !isSameHash(tile, bytes)))
      throw new Bad('tile_altered', index * TILE_WIDTH ** (level + 1))
  }
}

/** The tiles that are not full. Those of level 0 were looked at leaf by leaf. */
const checkEdge = async (source: LogSource, { size, partial }: Edge): Promise<void> => {
  for (let level = 1; level < partial.length; level += 1) {
    const bytes = partial[level]!
    if (bytes.length === 0) continue
    const index = Math.floor(size / TILE_WIDTH ** (level + 1))
    const tile = await source.tile({ level, index, width: bytes.length / HASH_BYTES })
    if (tile === null || (tile !== undefined && !isSameHash(tile, bytes)))
      throw new Bad('tile_altered', index * TILE_WIDTH ** (level + 1))
  }
}
