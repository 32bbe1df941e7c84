// A receipt that an event is in its tenant's log: checked by whoever has it, without the log.
import type { JsonValue } from '../../domain/claims.ts'
import { inclusionProof, type Sha256 } from '../../domain/tlog/merkle.ts'
import { encodeBase64, proofText } from '../../domain/tlog/signed-note.ts'
import type { TileName } from '../../domain/tlog/tiles.ts'
import type { LogLeaves, PublishedLog } from '../../ports/tenant-log.ts'
import { proofFromTiles } from './proof-from-tiles.ts'

/** The event with its salt, its place in the tree (C2SP tlog-proof) and the keys to check it with. */
export type Receipt = {
  readonly event: JsonValue
  readonly salt: string
  readonly proof: string
  readonly vkeys: readonly string[]
}

export type ProvePorts = {
  readonly log: Pick<LogLeaves, 'leafOf'> & Pick<PublishedLog, 'checkpoint' | 'tile'>
  readonly sha256: Sha256
  readonly verifierKeys: (tenant: string) => Promise<readonly string[]>
}

export const PROOF_REFUSALS = {
  no_event: 'the log has no such event',
  not_covered: 'no checkpoint covers the event yet; ask again in a few seconds',
  tile_missing: 'a tile of the log is missing: "audit verify" says where',
} as const

export type Proven =
  | { readonly ok: true; readonly receipt: Receipt }
  | { readonly ok: false; readonly refusal: keyof typeof PROOF_REFUSALS }

/** `uid`: a decision id, or the id of any event. Throws Unavailable. */
export const proveEvent = async (
  { log, sha256, verifierKeys }: ProvePorts,
  tenant: string,
  uid: string,
): Promise<Proven> => {
  const leaf = await log.leafOf(tenant, uid)
  if (leaf === null) return { ok: false, refusal: 'no_event' }
  const checkpoint = await log.checkpoint(tenant)
  if (checkpoint === null || checkpoint.size <= leaf.index) return { ok: false, refusal: 'not_covered' }
  const { size, note } = checkpoint
  const tile = (name: TileName) => log.tile(tenant, name)
  const proof = await proofFromTiles(sha256, { size, tile }, (range) => inclusionProof(range, leaf.index, size))
  if (proof === null) return { ok: false, refusal: 'tile_missing' }
  const receipt: Receipt = {
    event: JSON.parse(leaf.canonical) as JsonValue,
    salt: encodeBase64(leaf.salt),
    proof: proofText(leaf.index, proof, note),
    vkeys: await verifierKeys(tenant),
  }
  return { ok: true, receipt }
}
