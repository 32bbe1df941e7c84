// Gives every log's checkpoint to every anchor, once a minute. An anchor that has seen something else than this log's past is the
// one sign of a log that was rewritten by whoever has its key: that is said aloud, and nothing is done about it here.
import type { Alarm } from '../../domain/alarm.ts'
import { LIMITS } from '../../domain/limits.ts'
import { consistencyProof, type Hash, type Sha256 } from '../../domain/tlog/merkle.ts'
import { unverifiedText } from '../../domain/tlog/signed-note.ts'
import type { Anchor, AnchorAnswer, AnchorRecords } from '../../ports/anchors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { PublishedLog, SignedCheckpoint } from '../../ports/tenant-log.ts'
import { proofFromTiles } from './proof-from-tiles.ts'

export type AnchorPorts = {
  readonly log: Pick<PublishedLog, 'tenants' | 'checkpoint' | 'tile'>
  readonly anchors: readonly Anchor[]
  readonly records: AnchorRecords
  readonly sha256: Sha256
  readonly clock: Pick<Clock, 'nowSeconds'>
  readonly alarm: Alarm
}

export const anchorCheckpoints = async (ports: AnchorPorts): Promise<void> => {
  const tenants = await ports.log.tenants()
  await Promise.all(ports.anchors.map((anchor) => anchorAll(ports, anchor, tenants)))
}

const anchorAll = async (ports: AnchorPorts, anchor: Anchor, tenants: readonly string[]): Promise<void> => {
  let missed = 0
  let unreachable = 0
  for (const tenant of fromAnother(tenants, ports.clock.nowSeconds())) {
    const answer = await anchorNext(ports, anchor, tenant)
    if (answer === null || answer.kind === 'kept') continue
    if (answer.kind === 'disagrees') ports.alarm('anchor_disagrees', { tenant, anchor: anchor.name })
    else missed += 1
    if (answer.kind === 'unreachable') unreachable += 1
    // One that is down is not asked for every tenant of many.
    if (unreachable >= LIMITS.anchorMissesMax) break
  }
  if (missed > 0) ports.alarm('checkpoint_not_anchored', { anchor: anchor.name, count: missed })
}

/** Each minute from where the one before may have ended: those in front are not the only ones an anchor that comes and goes gets. */
const fromAnother = (tenants: readonly string[], nowSeconds: number): readonly string[] => {
  const round = Math.floor((nowSeconds * 1000) / LIMITS.anchorEveryMs)
  const start = (round * LIMITS.anchorMissesMax) % Math.max(1, tenants.length)
  return [...tenants.slice(start), ...tenants.slice(0, start)]
}

/** Null: there is nothing the anchor has not kept. */
const anchorNext = async (ports: AnchorPorts, anchor: Anchor, tenant: string): Promise<AnchorAnswer | null> => {
  // Read first: whoever anchors beside us gives it what is in the log already.
  const seen = (await ports.records.of(tenant)).find((record) => record.anchor === anchor.name)
  const signed = await ports.log.checkpoint(tenant)
  if (signed === null) return seen === undefined ? null : { kind: 'disagrees' }
  // Shorter, or as long and another: to be told now, and not when it has grown beyond what was kept.
  if (seen !== undefined && signed.size <= seen.size)
    return unverifiedText(signed.note) === unverifiedText(seen.note) ? null : { kind: 'disagrees' }
  const answer = await anchorOne(ports, anchor, tenant, signed, seen?.size ?? 0)
  if (answer.kind === 'kept') {
    const atSeconds = ports.clock.nowSeconds()
    await ports.records.put(tenant, { anchor: anchor.name, size: signed.size, note: answer.note, atSeconds })
  }
  return answer
}

/** An anchor that knows the log by another size than we thought says so, and is shown growth from there. */
const anchorOne = async (
  ports: AnchorPorts,
  anchor: Anchor,
  tenant: string,
  { size, note }: SignedCheckpoint,
  seenSize: number,
): Promise<AnchorAnswer> => {
  const add = async (from: number): Promise<AnchorAnswer> => {
    const proof = await growthProof(ports, tenant, from, size)
    return proof === null ? { kind: 'not_kept' } : anchor.add({ tenant, size, note, seenSize: from, proof })
  }
  const answer = await add(seenSize)
  if (answer.kind !== 'known') return answer
  // It has seen more of the log than there is, or says that it never kept what it has kept: then it would sign any other log.
  if (answer.size > size || answer.size < seenSize) return { kind: 'disagrees' }
  const second = await add(answer.size)
  return second.kind === 'known' ? { kind: 'not_kept' } : second
}

const growthProof = async (
  { log, sha256 }: AnchorPorts,
  tenant: string,
  from: number,
  size: number,
): Promise<readonly Hash[] | null> =>
  from === 0
    ? []
    : proofFromTiles(sha256, { size, tile: (name) => log.tile(tenant, name) }, (range) =>
        consistencyProof(range, from, size),
      )
