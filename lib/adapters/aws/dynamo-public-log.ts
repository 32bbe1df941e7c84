// What is public of tenants' logs, as whoever publishes them reads it: checkpoint, tiles, bundles of commitments. Neither events nor
// salts are asked for here, and IAM gives them to no caller of this (LeadingKeys of publicLog).
import { HASH_BYTES, leafHash, type Sha256 } from '../../domain/tlog/merkle.ts'
import { parseCheckpoint, unverifiedText } from '../../domain/tlog/signed-note.ts'
import { bundleOf, TILE_WIDTH, type TileName } from '../../domain/tlog/tiles.ts'
import type { PublishedLog, SignedCheckpoint } from '../../ports/tenant-log.ts'
import { readCommitments } from './dynamo-log-rows.ts'
import { begin, type Call, getItem, type Item, numberOf, queryAll, type Table, textOf } from './dynamo-request.ts'
import { logCheckpointKey, logCommitmentsKey, logTileKey, publicLogPartition } from './table-keys.ts'

export const createPublicLog = (table: Table, sha256: Sha256): Omit<PublishedLog, 'tenants'> => ({
  // As of the checkpoint: what is beyond is not published.
  async about(tenant) {
    const signed = await readCheckpoint(await begin(table, tenant), tenant)
    const text = signed === null ? null : unverifiedText(signed.note)
    const checkpoint = text === null ? null : parseCheckpoint(text)
    return checkpoint === null ? null : { origin: checkpoint.origin, size: checkpoint.size }
  },
  checkpoint: async (tenant) => readCheckpoint(await begin(table, tenant), tenant),
  async tile(tenant, name) {
    const call = await begin(table, tenant)
    if (name.level !== 'entries' && name.level > 0) return readTile(call, tenant, name.level, name)
    const first = name.index * TILE_WIDTH
    const commitments = readCommitments(await readCommitmentRows(call, tenant, first), first, name.width)
    if (commitments === null) return null
    return name.level === 'entries'
      ? bundleOf(commitments)
      : Buffer.concat(commitments.map((commitment) => leafHash(sha256, commitment)))
  },
})

export const readCheckpoint = async (call: Call, tenant: string): Promise<SignedCheckpoint | null> => {
  const row = await getItem(call, logCheckpointKey(tenant))
  return row === null ? null : checkpointOf(row)
}

export const checkpointOf = (row: Item): SignedCheckpoint => ({
  size: numberOf(row, 'size') ?? 0,
  note: textOf(row, 'note'),
})

/** Rows of the tile that begins with a leaf. */
export const readCommitmentRows = (call: Call, tenant: string, first: number): Promise<readonly Item[]> =>
  queryAll(call, {
    pk: publicLogPartition(tenant),
    between: [logCommitmentsKey(tenant, first).sk, logCommitmentsKey(tenant, first + TILE_WIDTH - 1).sk],
  })

const readTile = async (
  call: Call,
  tenant: string,
  level: number,
  { index, width }: TileName,
): Promise<Uint8Array | null> => {
  const bytes = (await getItem(call, logTileKey(tenant, level, index)))?.['b']?.B
  return bytes === undefined || bytes.length < width * HASH_BYTES ? null : bytes.slice(0, width * HASH_BYTES)
}
