// The Merkle tree of RFC 6962 §2.1 over SHA-256: hashes, proofs and their verification. Sizes are numbers up to 2^53, so there
// is no bit arithmetic on 32. Pure: the hash function is an argument.

/** 32 bytes. */
export type Hash = Uint8Array
/** Keeps nothing of `data`. */
export type Sha256 = (data: Uint8Array) => Hash

export const HASH_BYTES = 32

/** RFC 6962 §2.1: leaves and nodes are hashed apart, so that neither can be shown for the other. */
export const leafHash = (sha256: Sha256, leaf: Uint8Array): Hash => {
  const data = leaf.length === HASH_BYTES ? commitment : new Uint8Array(1 + leaf.length)
  data.set(leaf, 1)
  return sha256(data)
}

export const nodeHash = (sha256: Sha256, left: Hash, right: Hash): Hash => {
  node.set(left, 1)
  node.set(right, 1 + HASH_BYTES)
  return sha256(node)
}

/** Filled anew for every hash: to allocate them costs as much as to hash them. The leaves of our logs are commitments. */
const commitment = new Uint8Array(1 + HASH_BYTES)
const node = new Uint8Array(1 + 2 * HASH_BYTES)
node[0] = 1

export const emptyRoot = (sha256: Sha256): Hash => sha256(new Uint8Array(0))

export const isSameHash = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false
  return true
}

/** The largest power of two below n, for n > 1: where RFC 6962 splits. */
const splitOf = (n: number): number => {
  let split = 1
  while (split * 2 < n) split *= 2
  return split
}

/** Root of the leaves from `start` to before `end`, as a tree of their own. */
export type RangeHash = (start: number, end: number) => Hash

/** PATH(index, D[size]), from the leaf up. RFC 6962 §2.1.1. */
export const inclusionProof = (range: RangeHash, index: number, size: number): Hash[] => {
  if (!(index >= 0 && index < size)) throw new RangeError('the leaf is not in the tree')
  const path: Hash[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    const isLeft = index < middle
    path.push(isLeft ? range(middle, end) : range(start, middle))
    if (isLeft) end = middle
    else start = middle
  }
  return path.reverse()
}

/** PROOF(from, D[size]): that the tree of the first `from` leaves is the beginning of this one. RFC 6962 §2.1.2. */
export const consistencyProof = (range: RangeHash, from: number, size: number): Hash[] => {
  if (!(from > 0 && from <= size)) throw new RangeError('no such earlier tree')
  const path: Hash[] = []
  let start = 0
  let end = size
  while (from !== end) {
    const middle = start + splitOf(end - start)
    const isLeft = from <= middle
    path.push(isLeft ? range(middle, end) : range(start, middle))
    if (isLeft) end = middle
    else start = middle
  }
  // The subtree that both trees have: the verifier knows it by itself when it is the whole earlier tree.
  if (start !== 0) path.push(range(start, end))
  return path.reverse()
}

export type Inclusion = {
  readonly leaf: Hash
  readonly index: number
  readonly size: number
  readonly root: Hash
  readonly proof: readonly Hash[]
}

/** RFC 9162 §2.1.3.2. False for whatever is not exactly the proof. */
export const isIncluded = (sha256: Sha256, { leaf, index, size, root, proof }: Inclusion): boolean => {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...proof])) return false
  let at = index
  let last = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (isOdd(at) || at === last) {
      hash = nodeHash(sha256, sibling, hash)
      while (!isOdd(at) && at !== 0) {
        at = half(at)
        last = half(last)
      }
    } else hash = nodeHash(sha256, hash, sibling)
    at = half(at)
    last = half(last)
  }
  return last === 0 && isSameHash(hash, root)
}

export type Consistency = {
  readonly from: number
  readonly fromRoot: Hash
  readonly size: number
  readonly root: Hash
  readonly proof: readonly Hash[]
}

/** RFC 9162 §2.1.4.2. Of an empty tree nothing can be shown: it says nothing about the other. */
export const isConsistent = (sha256: Sha256, { from, fromRoot, size, root, proof }: Consistency): boolean => {
  if (!isCount(from) || !isCount(size) || from === 0 || from > size) return false
  if (from === size) return proof.length === 0 && isSameHash(fromRoot, root)
  if (!areHashes([fromRoot, root, ...proof])) return false
  const path = isPowerOfTwo(from) ? [fromRoot, ...proof] : [...proof]
  const [first, ...rest] = path
  if (first === undefined) return false
  let at = from - 1
  let last = size - 1
  while (isOdd(at)) {
    at = half(at)
    last = half(last)
  }
  let before = first
  let after = first
  for (const hash of rest) {
    if (last === 0) return false
    if (isOdd(at) || at === last) {
      before = nodeHash(sha256, hash, before)
      after = nodeHash(sha256, hash, after)
      while (!isOdd(at) && at !== 0) {
        at = half(at)
        last = half(last)
      }
    } else after = nodeHash(sha256, after, hash)
    at = half(at)
    last = half(last)
  }
  return last === 0 && isSameHash(before, fromRoot) && isSameHash(after, root)
}

const isOdd = (n: number): boolean => n % 2 === 1
const half = (n: number): number => Math.floor(n / 2)
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0
const isPowerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n)) && 2 ** Math.log2(n) === n
const areHashes = (hashes: readonly Uint8Array[]): boolean => hashes.every(({ length }) => length === HASH_BYTES)
