// C2SP tlog-tiles: the tree as files of 256 hashes, its leaves as files of 256 entries. Where they are, how they grow, and how
// any hash of the tree is found in them. What is full never changes again; of what is not, only the end is new. Pure.
import { emptyRoot, HASH_BYTES, type Hash, nodeHash, type RangeHash, type Sha256 } from './merkle.ts'

export const TILE_WIDTH = 256

/** `level` 'entries': the leaves themselves. `width`: 256, or of a partial tile how many it has. */
export type TileName = { readonly level: number | 'entries'; readonly index: number; readonly width: number }

/** `tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last after an x. */
export const tilePath = ({ level, index, width }: TileName): string => {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? []
  const place = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
  return `tile/${level}/${place}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

const TILE_PATH = /^tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** Null for whatever is not the one path of a tile. */
export const parseTilePath = (path: string): TileName | null => {
  const [, level, place, partial] = TILE_PATH.exec(path) ?? []
  if (level === undefined || place === undefined) return null
  const index = Number(place.replaceAll(/[x/]/g, ''))
  const width = partial === undefined ? TILE_WIDTH : Number(partial)
  const name: TileName = { level: level === 'entries' ? level : Number(level), index, width }
  return Number.isSafeInteger(index) && tilePath(name) === path ? name : null
}

/** How many hashes level `level` has in a tree of `size` leaves: those of whole subtrees of 256^level leaves. */
const hashesAt = (level: number, size: number): number => Math.floor(size / TILE_WIDTH ** level)

/** Every tile of the tree of `size` leaves, entries first, then level by level: what a mirror fetches. */
export function* tilesOf(size: number): Generator<TileName> {
  for (const level of ['entries', 0, 1, 2, 3, 4, 5, 6] as const) {
    const count = hashesAt(level === 'entries' ? 0 : level, size)
    for (let index = 0; index * TILE_WIDTH < count; index += 1)
      yield { level, index, width: Math.min(TILE_WIDTH, count - index * TILE_WIDTH) }
  }
}

/** What a tile is found by; a partial one may be given longer than asked for, by what came since. */
export type ReadTile = (name: TileName) => Uint8Array

/** Hashes of any part of the tree of `size` leaves, from its tiles. Throws RangeError where a tile is too short. */
export const rangeHashOf = (sha256: Sha256, size: number, readTile: ReadTile): RangeHash => {
  const read = (level: number, at: number, count: number): Hash[] => {
    const index = Math.floor(at / TILE_WIDTH)
    const width = Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH)
    const tile = readTile({ level, index, width })
    const from = at % TILE_WIDTH
    if (tile.length < (from + count) * HASH_BYTES) throw new RangeError('a tile is too short')
    return hashesIn(tile.subarray(from * HASH_BYTES, (from + count) * HASH_BYTES))
  }
  const range: RangeHash = (start, end) => {
    const count = end - start
    if (count === 0) return emptyRoot(sha256)
    const height = Math.floor(Math.log2(count))
    if (2 ** height !== count) {
      const middle = start + 2 ** height
      return nodeHash(sha256, range(start, middle), range(middle, end))
    }
    // A perfect subtree: within one tile, the level of which is the next one below its height.
    const level = Math.floor(height / 8)
    const leaves = TILE_WIDTH ** level
    return foldPerfect(sha256, read(level, start / leaves, count / leaves))
  }
  return range
}

/** The hashes of a tile, views of it. */
export const hashesIn = (bytes: Uint8Array): Hash[] =>
  Array.from({ length: bytes.length / HASH_BYTES }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))

/** The hash that stands for a whole tile in the level above. */
export const rootOfTile = (sha256: Sha256, bytes: Uint8Array): Hash => foldPerfect(sha256, hashesIn(bytes))

/** Root of a power of two of hashes. */
const foldPerfect = (sha256: Sha256, hashes: readonly Hash[]): Hash => {
  let row = hashes
  while (row.length > 1) {
    const above: Hash[] = []
    for (let at = 0; at < row.length; at += 2) above.push(nodeHash(sha256, row[at]!, row[at + 1]!))
    row = above
  }
  return row[0]!
}

/** The right edge of a tree: of each level the tile that is not full. Memory is that, however large the tree. */
export type Edge = { readonly size: number; readonly partial: readonly Uint8Array[] }

export const EMPTY_EDGE: Edge = { size: 0, partial: [] }

/** The edge of a tree of `size` leaves, from its tiles. */
export const edgeOf = (size: number, readTile: ReadTile): Edge => {
  const partial: Uint8Array[] = []
  for (let level = 0; hashesAt(level, size) > 0; level += 1) {
    const count = hashesAt(level, size)
    const width = count % TILE_WIDTH
    const tile = width === 0 ? new Uint8Array(0) : readTile({ level, index: Math.floor(count / TILE_WIDTH), width })
    if (tile.length < width * HASH_BYTES) throw new RangeError('a tile is too short')
    partial.push(tile.slice(0, width * HASH_BYTES))
  }
  return { size, partial }
}

export type GrownTile = { readonly level: number; readonly index: number; readonly bytes: Uint8Array }

/**
 * Appends leaf hashes; at level 1 the roots of whole tiles of them, to a tree that has no other. `grown`: every tile that has more
 * than before, whole.
 */
export const appendHashes = (
  sha256: Sha256,
  edge: Edge,
  hashes: Iterable<Hash>,
  level: 0 | 1 = 0,
): { readonly edge: Edge; readonly grown: readonly GrownTile[] } => {
  if (level === 1 && edge.size % TILE_WIDTH !== 0) throw new RangeError('the last tile of leaves is not full')
  const grown: GrownTile[] = []
  const tiles = edge.partial.map(openTile)
  const changed = new Set<number>()
  let size = edge.size

  const push = (at: number, hash: Hash): void => {
    const tile = tiles[at] ?? openTile(new Uint8Array(0))
    tiles[at] = tile
    tile.bytes.set(hash, tile.width * HASH_BYTES)
    tile.width += 1
    changed.add(at)
    if (tile.width < TILE_WIDTH) return
    grown.push({ level: at, index: hashesAt(at, size) / TILE_WIDTH - 1, bytes: tile.bytes })
    changed.delete(at)
    tiles[at] = openTile(new Uint8Array(0))
    push(at + 1, rootOfTile(sha256, tile.bytes))
  }
  for (const hash of hashes) {
    size += TILE_WIDTH ** level
    tiles[0] ??= openTile(new Uint8Array(0))
    push(level, hash)
  }
  const partial = tiles.map(({ bytes, width }) => bytes.slice(0, width * HASH_BYTES))
  for (const at of changed)
    grown.push({ level: at, index: Math.floor(hashesAt(at, size) / TILE_WIDTH), bytes: partial[at]! })
  return { edge: { size, partial }, grown }
}

type OpenTile = { readonly bytes: Uint8Array; width: number }

const openTile = (partial: Uint8Array): OpenTile => {
  const bytes = new Uint8Array(TILE_WIDTH * HASH_BYTES)
  bytes.set(partial)
  return { bytes, width: partial.length / HASH_BYTES }
}

/** The root: perfect subtrees from the smallest, at the right, to the largest. */
export const rootOfEdge = (sha256: Sha256, { partial }: Edge): Hash => {
  let root: Hash | null = null
  for (const tile of partial) {
    let hashes = hashesIn(tile)
    for (let count = 1; hashes.length > 0; count *= 2) {
      if (Math.floor(hashes.length / count) % 2 === 0) continue
      const subtree = foldPerfect(sha256, hashes.slice(hashes.length - count))
      hashes = hashes.slice(0, hashes.length - count)
      root = root === null ? subtree : nodeHash(sha256, subtree, root)
    }
  }
  return root ?? emptyRoot(sha256)
}

/** Entries as a bundle has them: each behind its length in two bytes, big-endian. */
export const bundleOf = (entries: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(entries.reduce((sum, { length }) => sum + 2 + length, 0))
  let at = 0
  for (const entry of entries) {
    if (entry.length > 0xffff) throw new RangeError('an entry is longer than a bundle can say')
    bytes[at] = entry.length >> 8
    bytes[at + 1] = entry.length & 0xff
    bytes.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bytes
}

/** How many bytes the first `count` entries of a bundle take; null: it is malformed, or has fewer. */
export const entriesLength = (bundle: Uint8Array, count: number): number | null => {
  let at = 0
  for (let entry = 0; entry < count; entry += 1) {
    at += 2 + (((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0))
    if (at > bundle.length) return null
  }
  return at
}

/** The first `count` entries of a bundle; null: it is malformed, or has fewer. */
export const entriesOf = (bundle: Uint8Array, count: number): Uint8Array[] | null => {
  if (entriesLength(bundle, count) === null) return null
  const entries: Uint8Array[] = []
  for (let at = 0; entries.length < count; ) {
    const end = at + 2 + ((bundle[at]! << 8) | bundle[at + 1]!)
    entries.push(bundle.subarray(at + 2, end))
    at = end
  }
  return entries
}
