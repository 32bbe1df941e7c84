// The hashes of a leaf: its commitment over salt and event, the fingerprint over the event without the fingerprint. Both are made from
// one copy of the event's bytes.
import {
  type Chained,
  type ChainLink,
  type Cut,
  chained,
  fingerprintAt,
  type Unsigned,
} from '../../domain/ocsf/record-integrity.ts'
import type { Sha256 } from '../../domain/tlog/merkle.ts'

export type LogHashes = {
  readonly sha256: Sha256
  /** Hex; of a text, over its UTF-8. */
  readonly sha256Hex: (data: string | Uint8Array) => string
}

const encoder = new TextEncoder()
const UTF8_BYTES_MAX = 3
/** Of the member that holds it. */
const FINGERPRINT_CHARS_MAX = 512
/** Grown to the longest event there was: no other copy of an event is made for its hashes. */
let scratch = new Uint8Array(0)

/** Puts salt ‖ event where it is hashed from, with room for a fingerprint: how many bytes that is. */
const write = (salt: Uint8Array, event: string): number => {
  const room = salt.length + (event.length + FINGERPRINT_CHARS_MAX) * UTF8_BYTES_MAX
  if (scratch.length < room) scratch = new Uint8Array(2 * room)
  scratch.set(salt)
  return salt.length + encoder.encodeInto(event, scratch.subarray(salt.length)).written
}

/** What is public of an event: SHA-256(salt ‖ canonical event) (design §4). Without the salt nobody can test a guess. */
export const commitmentOf = (sha256: Sha256, salt: Uint8Array, canonical: string): Uint8Array => {
  const length = write(salt, canonical)
  return sha256(scratch.subarray(0, length))
}

export type LeafHashes = {
  readonly commitment: Uint8Array
  /** Null: the event has none. `value`: what it must be; `cut`: where it is in the canonical text. */
  readonly fingerprint: { readonly cut: Cut; readonly value: string } | null
}

/** What the hashes of an event that is read back have to be. `known`: where its fingerprint is, so that nobody looks for it. */
export const hashesOfLeaf = (
  { sha256, sha256Hex }: LogHashes,
  salt: Uint8Array,
  canonical: string,
  known: Cut | null = null,
): LeafHashes => {
  const length = write(salt, canonical)
  const commitment = sha256(scratch.subarray(0, length))
  const cut = known ?? fingerprintAt(canonical)
  if (cut === null) return { commitment, fingerprint: null }
  const { from, to } = cut
  // As many bytes as characters: places in the text are places in the bytes.
  if (length - salt.length !== canonical.length)
    return { commitment, fingerprint: { cut, value: sha256Hex(canonical.slice(0, from) + canonical.slice(to)) } }
  scratch.copyWithin(salt.length + from, salt.length + to, length)
  return { commitment, fingerprint: { cut, value: sha256Hex(scratch.subarray(salt.length, length - (to - from))) } }
}

/** An event on its way into a log: fingerprint and commitment, and the text with the one that is committed to. `bytes`: of that in UTF-8. */
export const sealLeaf = (
  { sha256, sha256Hex }: LogHashes,
  salt: Uint8Array,
  unsigned: Unsigned,
  named: Omit<ChainLink, 'fingerprint'>,
): Chained & { readonly commitment: Uint8Array; readonly bytes: number } => {
  const { text, cutAt } = unsigned
  const length = write(salt, text)
  const { canonical, link } = chained(unsigned, named, () => sha256Hex(scratch.subarray(salt.length, length)))
  const memberLength = canonical.length - text.length
  const bytes = length + memberLength - salt.length
  // Only of as many bytes as characters a place in the text is one in the bytes.
  if (length - salt.length !== text.length)
    return { canonical, link, commitment: commitmentOf(sha256, salt, canonical), bytes }
  const from = salt.length + cutAt
  scratch.copyWithin(from + memberLength, from, length)
  encoder.encodeInto(canonical.slice(cutAt, cutAt + memberLength), scratch.subarray(from))
  return { canonical, link, commitment: sha256(scratch.subarray(0, length + memberLength)), bytes }
}
