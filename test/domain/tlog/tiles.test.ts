import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  consistencyProof,
  type Hash,
  inclusionProof,
  isConsistent,
  isIncluded,
  leafHash,
  nodeHash,
  type Sha256,
} from '../../../lib/domain/tlog/merkle.ts'
import {
  appendHashes,
  bundleOf,
  type Edge,
  EMPTY_EDGE,
  edgeOf,
  entriesOf,
  parseTilePath,
  type ReadTile,
  rangeHashOf,
  rootOfEdge,
  rootOfTile,
  TILE_WIDTH,
  tilePath,
  tilesOf,
} from '../../../lib/domain/tlog/tiles.ts'

const sha256: Sha256 = (data) => Uint8Array.from(hash('sha256', data, 'buffer'))
const leaf = (at: number): Hash => leafHash(sha256, Buffer.from(String(at)))

const rootOf = (hashes: readonly Hash[]): Hash => {
  if (hashes.length === 0) return sha256(new Uint8Array(0))
  if (hashes.length === 1) return hashes[0]!
  let split = 1
  while (split * 2 < hashes.length) split *= 2
  return nodeHash(sha256, rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)))
}

/** A log in memory, grown in batches of the sizes given. */
const grow = (batches: readonly number[]): { edge: Edge; readTile: ReadTile } => {
  const tiles = new Map<string, Uint8Array>()
  let edge = EMPTY_EDGE
  for (const count of batches) {
    const added = appendHashes(
      sha256,
      edge,
      Array.from({ length: count }, (_, at) => leaf(edge.size + at)),
    )
    for (const { level, index, bytes } of added.grown) tiles.set(`${level}/${index}`, bytes)
    edge = added.edge
  }
  return { edge, readTile: ({ level, index }) => tiles.get(`${level}/${index}`)! }
}

const SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 513, 1000]
const LARGE = 256 * 256 + 300
const large = grow([LARGE])

test('the root does not depend on how the leaves came: alone, in batches, or all at once', () => {
  for (const size of SIZES) {
    const expected = rootOf(Array.from({ length: size }, (_, at) => leaf(at)))
    expect(rootOfEdge(sha256, grow([size]).edge), String(size)).toEqual(expected)
    expect(rootOfEdge(sha256, grow(Array.from({ length: size }, () => 1)).edge), String(size)).toEqual(expected)
  }
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 4 }), (batches) => {
      const total = batches.reduce((sum, count) => sum + count, 0)
      expect(rootOfEdge(sha256, grow(batches).edge)).toEqual(rootOf(Array.from({ length: total }, (_, at) => leaf(at))))
    }),
    { numRuns: 15 },
  )
})

test('a tree grows by roots of whole tiles as it does by their leaves, but never beside a tile that is not full', () => {
  for (const tiles of [1, 2, 3]) {
    const { edge } = grow([tiles * TILE_WIDTH])
    const roots = Array.from({ length: tiles }, (_, at) =>
      rootOfTile(sha256, Buffer.concat(Array.from({ length: TILE_WIDTH }, (_, of) => leaf(at * TILE_WIDTH + of)))),
    )
    const grown = appendHashes(sha256, EMPTY_EDGE, roots, 1)
    expect(grown.edge).toEqual(edge)
    expect(appendHashes(sha256, grown.edge, [leaf(1)]).edge).toEqual(appendHashes(sha256, edge, [leaf(1)]).edge)
  }
  expect(() => appendHashes(sha256, grow([1]).edge, [leaf(1)], 1)).toThrow(RangeError)
})

test('the edge is found again from the tiles: a process that starts goes on where another stopped', () => {
  for (const { edge, readTile } of [...SIZES.map((size) => grow([size])), large])
    expect(edgeOf(edge.size, readTile)).toEqual(edge)
})

test('a partial tile that has grown since still serves the tree it was part of', () => {
  const { readTile } = grow([700, 300])
  expect(rootOfEdge(sha256, edgeOf(700, readTile))).toEqual(rootOfEdge(sha256, grow([700]).edge))
})

test('proofs from tiles, over three levels, are those the verifiers believe', () => {
  const { edge, readTile } = large
  const root = rootOfEdge(sha256, edge)
  const range = rangeHashOf(sha256, LARGE, readTile)
  expect(range(0, LARGE)).toEqual(root)
  for (const index of [0, 1, 255, 256, 65_535, 65_536, LARGE - 1]) {
    const proof = inclusionProof(range, index, LARGE)
    expect(isIncluded(sha256, { leaf: leaf(index), index, size: LARGE, root, proof })).toBe(true)
    expect(isIncluded(sha256, { leaf: leaf(index + 1), index, size: LARGE, root, proof })).toBe(false)
  }
  for (const from of [1, 255, 256, 1000, 65_536, 65_537, LARGE]) {
    const fromRoot = rootOfEdge(sha256, edgeOf(from, readTile))
    expect(
      isConsistent(sha256, { from, fromRoot, size: LARGE, root, proof: consistencyProof(range, from, LARGE) }),
    ).toBe(true)
  }
})

test('a tile that is full is never given again, and memory is one tile a level', () => {
  const seen = new Set<string>()
  let edge = EMPTY_EDGE
  for (let round = 0; round < 60; round += 1) {
    const { grown, ...next } = appendHashes(
      sha256,
      edge,
      Array.from({ length: 500 }, (_, at) => leaf(at)),
    )
    for (const { level, index, bytes } of grown) {
      const name = `${level}/${index}`
      expect(seen.has(name)).toBe(false)
      if (bytes.length === TILE_WIDTH * 32) seen.add(name)
    }
    edge = next.edge
    expect(edge.partial.every(({ length }) => length < TILE_WIDTH * 32)).toBe(true)
    expect(edge.partial.length).toBeLessThanOrEqual(3)
  }
})

test.each([
  [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
  [{ level: 0, index: 1_234_067, width: 256 }, 'tile/0/x001/x234/067'],
  [{ level: 1, index: 999, width: 8 }, 'tile/1/999.p/8'],
  [{ level: 'entries' as const, index: 1_000, width: 255 }, 'tile/entries/x001/000.p/255'],
])('%j is %s, and back', (name, path) => {
  expect(tilePath(name)).toBe(path)
  expect(parseTilePath(path)).toEqual(name)
})

test.each([
  'tile/0/0',
  'tile/0/x000/000',
  'tile/0/001/002',
  'tile/00/000',
  'tile/64/000',
  'tile/-1/000',
  'tile/0/000.p/0',
  'tile/0/000.p/256',
  'tile/0/000.p/08',
  'tile/0/000/',
  'tile/data/000',
  '/tile/0/000',
  'tile/0/../../checkpoint',
])('%s names no tile: one tile has one path, or a cache could be filled without end', (path) => {
  expect(parseTilePath(path)).toBeNull()
})

test('the tiles of a tree are all a mirror needs, each with its width', () => {
  expect([...tilesOf(0)]).toEqual([])
  expect([...tilesOf(257)].map(tilePath)).toEqual([
    'tile/entries/000',
    'tile/entries/001.p/1',
    'tile/0/000',
    'tile/0/001.p/1',
    'tile/1/000.p/1',
  ])
})

test('a bundle gives its entries back, and one that was cut gives none', () => {
  const entries = [new Uint8Array(0), new Uint8Array([1, 2, 3]), new Uint8Array(300).fill(7)]
  const bundle = bundleOf(entries)
  expect(entriesOf(bundle, 3)!.map((entry) => [...entry])).toEqual(entries.map((entry) => [...entry]))
  expect(entriesOf(bundle, 2)).toHaveLength(2)
  expect(entriesOf(bundle, 4)).toBeNull()
  expect(entriesOf(bundle.subarray(0, -1), 3)).toBeNull()
})
