// A receipt that an event is in its tenant's log: checked by whoever has it, without the log.
import type { JsonValue } from '../../domain/claims.ts'
import { eventIdOfRollUp, NOT_LISTED } from '../../domain/denial-roll-up.ts'
import { inclusionProof, type Sha256 } from '../../domain/tlog/merkle.ts'
import { encodeBase64, proofText } from '../../domain/tlog/signed-note.ts'
import type { TileName } from '../../domain/tlog/tiles.ts'
import type { DecisionLookup } from '../../ports/decisions.ts'
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
  /** Denials that are counted have no event of their own. Left out: not known here. */
  readonly decisions?: Pick<DecisionLookup, 'find'>
}

export const PROOF_REFUSALS = {
  no_event: 'the log has no such event',
  not_covered: 'no checkpoint covers the event yet; ask again in a few seconds',
  tile_missing: 'a tile of the log is missing: "audit verify" says where',
} as const

export type Proven =
  /** `isCounted`: the event is the count that the decision is in. */
  | { readonly ok: true; readonly receipt: Receipt; readonly isCounted: boolean }
  | { readonly ok: false; readonly refusal: keyof typeof PROOF_REFUSALS }

/** `uid`: a decision id, also of one that was only counted, or the id of any event. Throws Unavailable. */
export const proveEvent = async (
  { log, sha256, verifierKeys, decisions }: ProvePorts,
  tenant: string,
  uid: string,
): Promise<Proven> => {
  const own = await log.leafOf(tenant, uid)
  const counted = own === null ? await countOf(decisions, tenant, uid) : null
  const leaf = own ?? (counted === null ? null : await log.leafOf(tenant, counted))
  // A minute is told of when it is over.
  if (leaf === null) return { ok: false, refusal: counted === null ? 'no_event' : 'not_covered' }
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
  return { ok: true, receipt, isCounted: own === null }
}

const countOf = async (
  decisions: ProvePorts['decisions'],
  tenant: string,
  decisionId: string,
): Promise<string | null> => {
  const found = await decisions?.find(decisionId, tenant)
  return found?.kind === 'rolled_up' && found.rollUp.kind !== NOT_LISTED ? eventIdOfRollUp(found.rollUp) : null
}
