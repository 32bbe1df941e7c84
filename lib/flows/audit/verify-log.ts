// Verifies a tenant's log from its first leaf to its last, in one pass and flat memory: every event against its commitment, its
// fingerprint and the event before it; every commitment against the tiles; every root against what was signed or seen before.
import { HASH_BYTES, type Hash, isSameHash } from '../../domain/tlog/merkle.ts'
import {
  type Checkpoint,
  type NoteKey,
  openNote,
  parseCheckpoint,
  type VerifyEd25519,
} from '../../domain/tlog/signed-note.ts'
import { appendHashes, type Edge, EMPTY_EDGE, hashesIn, rootOfEdge, TILE_WIDTH } from '../../domain/tlog/tiles.ts'
import type { Expired, LogSource } from '../../ports/tenant-log.ts'
import { isLogOf } from './append-log.ts'
import { type CheckedLeaves, checkLeaves, type LeavesQuestion, type Stretch } from './check-leaves.ts'
import type { LogHashes } from './leaf-hashes.ts'
import type { Flaw } from './log-problems.ts'

/** Leaves that are checked at a time: whole bundles, some MB of events. */
const STRETCH = 8 * TILE_WIDTH
const BUNDLE_BYTES = TILE_WIDTH * HASH_BYTES

export type Verified = {
  readonly origin: string | null
  readonly size: number
  /** Leaves that were found good before the first that was not. */
  readonly good: number
  readonly events: number
  /** Leaves from the front whose events are no longer kept: verified as commitments. */
  readonly expired: number
  readonly earlier: number
  readonly bad: Flaw | null
}

export type VerifyPorts = { readonly hashes: LogHashes; readonly verify: VerifyEd25519 }

export type VerifyQuestion = {
  readonly source: LogSource
  readonly keys: readonly NoteKey[]
  /** Those tainted since, which only what was seen before may be of: who forges that makes the log BAD, and never good. */
  readonly pastKeys?: readonly NoteKey[]
  readonly tenant: string
  /** Notes seen before: anchors, and what the log kept itself. Each has to be of a beginning of this log. */
  readonly earlier: readonly string[]
  /** Whether the tenant no longer keeps what is said to have expired; absent: that is not known here. */
  readonly isDue?: (expired: Expired) => Promise<boolean>
  readonly againstRecords?: LeavesQuestion['againstRecords']
  /** Who checks stretches of leaves, several at once; absent: this thread, one after the other. */
  readonly crew?: Crew
}

/** `atOnce`: how many stretches it is given at a time. What it answers is what checkLeaves does, whatever order it works in. */
export type Crew = {
  readonly atOnce: number
  readonly check: (stretch: Stretch, expired: number) => Promise<CheckedLeaves>
  /** As LogSource. */
  readonly behind?: () => Promise<boolean>
}

class Bad extends Error {
  readonly flaw: Flaw
  constructor(flaw: Flaw) {
    super(flaw.problem)
    this.flaw = flaw
  }
}

/** Throws what the source throws; what is wrong with the log is in the answer. */
export const verifyLog = async (ports: VerifyPorts, question: VerifyQuestion): Promise<Verified> => {
  const walk: Walk = { edge: EMPTY_EDGE, events: 0, expired: 0, checked: 0, good: 0 }
  let checkpoint: Checkpoint | null = null
  try {
    checkpoint = await currentCheckpoint(ports, question)
    checkOrigin(checkpoint, question.tenant)
    const expired = (await question.source.expired?.()) ?? null
    const earlier = new Set([...question.earlier, ...(expired === null ? [] : [expired.note])])
    walk.expired = expired === null ? 0 : await provenExpired(ports, question, expired)
    await walkLeaves(ports, { ...question, earlier: [...earlier] }, checkpoint, walk)
    return answerOf(checkpoint, walk, null)
  } catch (error) {
    if (!(error instanceof Bad)) throw error
    return answerOf(checkpoint, walk, error.flaw)
  }
}

/** `checked`: how many of the earlier checkpoints. */
type Walk = {
  edge: Edge
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
  if (checkpoint === null) throw new Bad({ problem: 'checkpoint_invalid', index: null })
  return checkpoint
}

/** Its name says whose log it is: a public log has no events that could. */
const checkOrigin = ({ origin }: Checkpoint, tenant: string): void => {
  if (!isLogOf(tenant, origin)) throw new Bad({ problem: 'other_log', index: null })
}

const currentCheckpoint = async (ports: VerifyPorts, { source, keys }: VerifyQuestion): Promise<Checkpoint> => {
  const note = await source.checkpoint()
  if (note === null) throw new Bad({ problem: 'checkpoint_missing', index: null })
  return opened(ports, note, keys)
}

/** A checkpoint signed when all of them were there already: nothing younger is gone. Its own root is checked like any other. */
const provenExpired = async (
  { hashes, verify }: VerifyPorts,
  { keys, pastKeys = [], isDue }: VerifyQuestion,
  expired: Expired,
): Promise<number> => {
  const { note, leaves } = expired
  const text = openNote({ sha256: hashes.sha256, verify }, note, [...keys, ...pastKeys])
  const size = text === null ? 0 : (parseCheckpoint(text)?.size ?? 0)
  if (size < leaves) throw new Bad({ problem: 'expired_unproven', index: 0 })
  if ((await isDue?.(expired)) === false) throw new Bad({ problem: 'expired_unasked', index: 0 })
  return leaves
}

const walkLeaves = async (
  ports: VerifyPorts,
  question: VerifyQuestion,
  checkpoint: Checkpoint,
  walk: Walk,
): Promise<void> => {
  const keys = [...question.keys, ...(question.pastKeys ?? [])]
  const earlier = question.earlier.map((note) => opened(ports, note, keys)).sort((a, b) => a.size - b.size)
  if (earlier.some(({ origin }) => origin !== checkpoint.origin)) throw new Bad({ problem: 'other_log', index: null })
  for await (const { hashes, roots, events, flaw } of checkedStretches(
    ports,
    question,
    checkpoint.size,
    walk.expired,
  )) {
    for (let at = 0; at < hashes.length; at += BUNDLE_BYTES) {
      const root = at / TILE_WIDTH
      const bundle = { leaves: hashes.subarray(at, at + BUNDLE_BYTES), root: roots.subarray(root, root + HASH_BYTES) }
      await growBundle(ports, question.source, earlier, walk, bundle)
    }
    walk.events += events
    if (flaw === null) continue
    walk.good = flaw.index
    throw new Bad(flaw)
  }
  await checkEdge(question.source, walk.edge)
  if (!isSameHash(rootOfEdge(ports.hashes.sha256, walk.edge), checkpoint.root))
    throw new Bad({ problem: 'root_differs', index: earlier[walk.checked - 1]?.size ?? 0 })
  if (walk.checked < earlier.length) throw new Bad({ problem: 'truncated', index: checkpoint.size })
  if (await (question.crew ?? question.source).behind?.())
    throw new Bad({ problem: 'event_invented', index: checkpoint.size })
  walk.good = checkpoint.size
}

/** In the order of the log, whoever checks them and when. */
async function* checkedStretches(
  { hashes }: VerifyPorts,
  question: VerifyQuestion,
  size: number,
  expired: number,
): AsyncGenerator<CheckedLeaves> {
  const { crew } = question
  let last: CheckedLeaves['last'] = null
  const ahead: Promise<CheckedLeaves>[] = []
  for (let start = 0; start < size; start += STRETCH) {
    const stretch = { start, width: Math.min(STRETCH, size - start) }
    if (crew === undefined) {
      const checked = await checkLeaves(hashes, { ...question, expired }, stretch, last)
      yield checked
      last = checked.last
      continue
    }
    const checked = crew.check(stretch, expired)
    // Of what is checked behind a flaw nobody asks how it went.
    checked.catch(() => undefined)
    ahead.push(checked)
    if (ahead.length === crew.atOnce) yield await ahead.shift()!
  }
  for (const checked of ahead) yield await checked
}

/** Up to each size that a checkpoint was seen of, so that the first one that does not fit says where to look. */
const growBundle = async (
  ports: VerifyPorts,
  source: LogSource,
  earlier: readonly Checkpoint[],
  walk: Walk,
  { leaves, root }: { readonly leaves: Uint8Array; readonly root: Hash },
): Promise<void> => {
  const start = walk.edge.size
  const width = leaves.length / HASH_BYTES
  walk.good = start + width
  for (let at = 0; at < width; ) {
    const upTo = Math.min(width, (earlier[walk.checked]?.size ?? Number.POSITIVE_INFINITY) - start)
    if (upTo === TILE_WIDTH && at === 0) await grow(ports, source, walk, [root], 1)
    else await grow(ports, source, walk, hashesIn(leaves.subarray(at * HASH_BYTES, upTo * HASH_BYTES)), 0)
    at = upTo
    while (earlier[walk.checked]?.size === start + at) checkEarlier(ports, earlier, walk)
  }
}

const checkEarlier = ({ hashes }: VerifyPorts, earlier: readonly Checkpoint[], walk: Walk): void => {
  const { root, size } = earlier[walk.checked]!
  if (!isSameHash(rootOfEdge(hashes.sha256, walk.edge), root)) {
    // Another of this size may fit: the log's own, beside what an anchor has.
    const before = earlier.slice(0, walk.checked).findLast((fitting) => fitting.size < size)
    throw new Bad({ problem: 'forked', index: before?.size ?? 0 })
  }
  walk.checked += 1
}

const grow = async (
  { hashes: { sha256 } }: VerifyPorts,
  source: LogSource,
  walk: Walk,
  hashes: readonly Hash[],
  level: 0 | 1,
): Promise<void> => {
  const { edge, grown } = appendHashes(sha256, walk.edge, hashes, level)
  walk.edge = edge
  for (const { level, index, bytes } of grown) {
    if (level === 0 || bytes.length < TILE_WIDTH * HASH_BYTES) continue
    const tile = await source.tile({ level, index, width: TILE_WIDTH })
    if (tile === null || (tile !== undefined && !isSameHash(tile, bytes)))
      throw new Bad({ problem: 'tile_altered', index: index * TILE_WIDTH ** (level + 1) })
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
      throw new Bad({ problem: 'tile_altered', index: index * TILE_WIDTH ** (level + 1) })
  }
}
