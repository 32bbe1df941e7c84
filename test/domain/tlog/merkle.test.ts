import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  consistencyProof,
  emptyRoot,
  type Hash,
  inclusionProof,
  isConsistent,
  isIncluded,
  leafHash,
  nodeHash,
  type RangeHash,
  type Sha256,
} from '../../../lib/domain/tlog/merkle.ts'

const sha256: Sha256 = (data) => createHash('sha256').update(data).digest()
const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex')

/** RFC 6962 §2.1 word by word, over hashes kept in memory: what the tiles must agree with. */
const naive =
  (hashes: readonly Hash[]): RangeHash =>
  (start, end) => {
    if (end - start === 0) return emptyRoot(sha256)
    if (end - start === 1) return hashes[start]!
    let split = 1
    while (split * 2 < end - start) split *= 2
    return nodeHash(sha256, naive(hashes)(start, start + split), naive(hashes)(start + split, end))
  }

const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const HASHES = LEAVES.map((leaf) => leafHash(sha256, Buffer.from(leaf, 'hex')))

test.each([
  [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
  [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
  [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
  [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
])('the root of the first %i leaves of RFC 6962 implementations is the published one', (size, root) => {
  expect(hex(naive(HASHES)(0, size))).toBe(root)
})

const FOLDER = fileURLToPath(new URL('../../../../shared/vectors/merkle', import.meta.url))
const bytes = (text: string | null): Uint8Array => Buffer.from(text ?? '', 'base64')
type Vector = { readonly root: string; readonly leafHash: string; readonly root1: string; readonly root2: string } & {
  readonly [name in 'leafIdx' | 'treeSize' | 'size1' | 'size2']: number
} & { readonly proof: readonly string[] | null; readonly wantErr: boolean }
const vectors = (kind: string) =>
  globSync(`${kind}/**/*.json`, { cwd: FOLDER }).map((path): [string, Vector] => [
    path,
    JSON.parse(readFileSync(join(FOLDER, path), 'utf8')) as Vector,
  ])

describe.skipIf(!existsSync(FOLDER))('vectors of transparency-dev/merkle (../shared/vectors/merkle)', () => {
  const listed = existsSync(FOLDER)

  test.each(listed ? vectors('inclusion') : [])('inclusion: %s', (_, vector) => {
    const { leafIdx, treeSize, root, leafHash: leaf, proof, wantErr } = vector
    const proven = isIncluded(sha256, {
      leaf: bytes(leaf),
      index: leafIdx,
      size: treeSize,
      root: bytes(root),
      proof: (proof ?? []).map(bytes),
    })
    expect(proven).toBe(!wantErr)
  })

  test.each(listed ? vectors('consistency') : [])('consistency: %s', (_, vector) => {
    const { size1, size2, root1, root2, proof, wantErr } = vector
    const proven = isConsistent(sha256, {
      from: size1,
      fromRoot: bytes(root1),
      size: size2,
      root: bytes(root2),
      proof: (proof ?? []).map(bytes),
    })
    expect(proven).toBe(!wantErr)
  })

  test('there are good ones and bad ones among them', () => {
    for (const kind of ['inclusion', 'consistency']) {
      const wanted = vectors(kind).map(([, { wantErr }]) => wantErr)
      expect(wanted.filter(Boolean).length).toBeGreaterThan(10)
      expect(wanted.filter((isBad) => !isBad).length).toBeGreaterThan(3)
    }
  })
})

describe('proofs of trees of up to 40 leaves', () => {
  const many = Array.from({ length: 40 }, (_, at) => leafHash(sha256, Buffer.from(String(at))))
  const range = naive(many)

  test('every leaf is shown to be in every tree that has it, and at no other place', () => {
    for (let size = 1; size <= many.length; size += 1)
      for (let index = 0; index < size; index += 1) {
        const shown = {
          leaf: many[index]!,
          index,
          size,
          root: range(0, size),
          proof: inclusionProof(range, index, size),
        }
        expect(isIncluded(sha256, shown)).toBe(true)
        expect(isIncluded(sha256, { ...shown, index: (index + 1) % size, ...(size === 1 ? { index: 1 } : {}) })).toBe(
          false,
        )
      }
  })

  test('every earlier tree is shown to be the beginning of every later one', () => {
    for (let size = 1; size <= many.length; size += 1)
      for (let from = 1; from <= size; from += 1) {
        const shown = {
          from,
          fromRoot: range(0, from),
          size,
          root: range(0, size),
          proof: consistencyProof(range, from, size),
        }
        expect(isConsistent(sha256, shown)).toBe(true)
        const forked = [...many]
        forked[from - 1] = leafHash(sha256, Buffer.from('another'))
        expect(isConsistent(sha256, { ...shown, fromRoot: naive(forked)(0, from) })).toBe(false)
      }
  })

  test('no proof with one bit flipped, one hash dropped or one added is believed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 40 }),
        fc.nat(),
        fc.nat(),
        fc.constantFrom('flip', 'drop', 'add'),
        (size, a, b, what) => {
          const index = a % size
          const proof = inclusionProof(range, index, size).map((hash): Hash => Uint8Array.from(hash))
          const at = b % proof.length
          if (what === 'flip') proof[at]![b % 32]! ^= 1 << (b % 8)
          if (what === 'drop') proof.splice(at, 1)
          if (what === 'add') proof.splice(at, 0, many[b % many.length]!)
          expect(isIncluded(sha256, { leaf: many[index]!, index, size, root: range(0, size), proof })).toBe(false)
        },
      ),
    )
  })
})
