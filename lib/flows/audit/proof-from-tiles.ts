// Proofs are computed from tiles in memory: which ones they take is found by a proof that hashes nothing, since it does not depend on
// what is in them.
import { HASH_BYTES, type RangeHash, type Sha256 } from '../../domain/tlog/merkle.ts'
import { rangeHashOf, TILE_WIDTH, type TileName } from '../../domain/tlog/tiles.ts'

const BLANK_HASH = new Uint8Array(HASH_BYTES)
const BLANK_TILE = new Uint8Array(TILE_WIDTH * HASH_BYTES)

/** Reads the tiles on the path and no others. Null: one of them is missing. */
export const proofFromTiles = async <T>(
  sha256: Sha256,
  { size, tile }: { readonly size: number; readonly tile: (name: TileName) => Promise<Uint8Array | null> },
  prove: (range: RangeHash) => T,
): Promise<T | null> => {
  const names = new Map<string, TileName>()
  prove(
    rangeHashOf(
      () => BLANK_HASH,
      size,
      (name) => {
        names.set(keyOf(name), name)
        return BLANK_TILE
      },
    ),
  )
  const tiles = new Map<string, Uint8Array>()
  for (const [key, name] of names) {
    const bytes = await tile(name)
    if (bytes === null) return null
    tiles.set(key, bytes)
  }
  return prove(rangeHashOf(sha256, size, (name) => tiles.get(keyOf(name))!))
}

const keyOf = ({ level, index }: TileName): string => `${level}/${index}`
