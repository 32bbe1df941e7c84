// Proofs are computed from tiles in memory: which ones are asked for is found by asking, until none is missing.
import type { RangeHash, Sha256 } from '../../domain/tlog/merkle.ts'
import { HASH_BYTES } from '../../domain/tlog/merkle.ts'
import { rangeHashOf, TILE_WIDTH, type TileName } from '../../domain/tlog/tiles.ts'

/** Null: a tile that is needed is missing. */
export const proofFromTiles = async <T>(
  sha256: Sha256,
  { size, tile }: { readonly size: number; readonly tile: (name: TileName) => Promise<Uint8Array | null> },
  prove: (range: RangeHash) => T,
): Promise<T | null> => {
  const tiles = new Map<string, Uint8Array>()
  for (;;) {
    let missing: TileName | null = null
    const proof = prove(
      rangeHashOf(sha256, size, (name) => {
        const known = tiles.get(keyOf(name))
        if (known === undefined) missing ??= name
        return known ?? new Uint8Array(TILE_WIDTH * HASH_BYTES)
      }),
    )
    const name = missing as TileName | null
    if (name === null) return proof
    const bytes = await tile(name)
    if (bytes === null) return null
    tiles.set(keyOf(name), bytes)
  }
}

const keyOf = ({ level, index }: TileName): string => `${level}/${index}`
