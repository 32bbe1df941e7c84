// Base64url without padding (RFC 4648 §5), canonical forms only: one byte string has exactly one text, so a token cannot be
// rewritten into another that decodes alike (attacks row 15). Tables instead of Buffer: web runtimes run this too. Pure.
import { LIMITS } from './limits.ts'

const toBytes = new TextEncoder()
const toText = new TextDecoder()

const ALPHABET = toBytes.encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
/** More than the 12 bits of two characters. */
const BAD = 0xffff

/** Two characters side by side in memory, whichever way round this machine reads them as one number. */
const IS_FIRST_LOW = new Uint16Array(Uint8Array.of(1, 0).buffer)[0] === 1
const pairOf = (first: number, second: number): number => (IS_FIRST_LOW ? (second << 8) | first : (first << 8) | second)

/** 12 bits to two characters, and back: half the steps of one character at a time. */
const PAIR_OF = new Uint16Array(4096)
const BITS_OF = new Uint16Array(65_536).fill(BAD)
for (let bits = 0; bits < 4096; bits += 1) {
  const pair = pairOf(ALPHABET[bits >> 6]!, ALPHABET[bits & 63]!)
  PAIR_OF[bits] = pair
  BITS_OF[pair] = bits
}

/** What decodeBase64url promises. A machine that decodes natively may do it in its place. */
export type DecodeBase64url = (text: string) => Uint8Array<ArrayBuffer> | null

/**
 * The bytes of canonical base64url, or null: padding, whitespace, another alphabet, an impossible length, or bits set past
 * the last byte. The empty text is zero bytes.
 */
export const decodeBase64url = (text: string): Uint8Array<ArrayBuffer> | null => {
  const { length } = text
  const tail = length & 3
  if (tail === 1) return null
  const { codes, pairs } = codesOf(text)
  const bytes = new Uint8Array((length >> 2) * 3 + (tail === 0 ? 0 : tail - 1))
  const whole = (length >> 2) << 1
  // Every value is or-ed into `seen`: no branch for bad characters in the loop, one test at the end finds any.
  let seen = 0
  let to = 0
  for (let i = 0; i < whole; i += 2) {
    const first = BITS_OF[pairs[i]!]!
    const second = BITS_OF[pairs[i + 1]!]!
    seen |= first | second
    bytes[to] = first >> 4
    bytes[to + 1] = (first << 4) | (second >> 8)
    bytes[to + 2] = second
    to += 3
  }
  if (tail !== 0) {
    const first = BITS_OF[pairs[whole]!]!
    // A third character stands as the first of a pair whose other half is no bits at all.
    codes[length] = ALPHABET[0]!
    const second = tail === 3 ? BITS_OF[pairs[whole + 1]!]! : 0
    seen |= first | second
    bytes[to] = first >> 4
    if (tail === 3) bytes[to + 1] = (first << 4) | (second >> 8)
    // Bits that belong to no byte must be zero.
    if ((tail === 2 ? first & 0x0f : second & 0xff) !== 0) return null
  }
  return seen > 0xfff ? null : bytes
}

/** The same memory by characters and by pairs of them. */
type Codes = { readonly codes: Uint8Array; readonly pairs: Uint16Array }

const newCodes = (bytes: number): Codes => {
  const { buffer } = new Uint16Array((bytes >> 1) + 1)
  return { codes: new Uint8Array(buffer), pairs: new Uint16Array(buffer) }
}

/** What is read, and what is written, by one call at a time; longer texts get memory of their own. */
const input = newCodes(LIMITS.tokenBytesMax)
const output = newCodes(LIMITS.tokenBytesMax * 2)

/**
 * At least the UTF-8 of the text: reading a slice of a string character by character is three times slower. Not ASCII is more
 * than one byte a character, and none of them is in the alphabet.
 */
const codesOf = (text: string): Codes => {
  const into = text.length * 3 < input.codes.length ? input : newCodes(text.length * 3)
  toBytes.encodeInto(text, into.codes)
  return into
}

/** Canonical base64url of the bytes. */
export const encodeBase64url = (bytes: Uint8Array): string => {
  const count = bytes.length
  const rest = count % 3
  const whole = count - rest
  const length = (whole / 3) * 4 + (rest === 0 ? 0 : rest + 1)
  const { codes, pairs } = length <= output.codes.length - 4 ? output : newCodes(length + 4)
  let to = 0
  for (let i = 0; i < whole; i += 3) {
    const word = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    pairs[to] = PAIR_OF[word >> 12]!
    pairs[to + 1] = PAIR_OF[word & 0xfff]!
    to += 2
  }
  if (rest !== 0) {
    const word = (bytes[whole]! << 16) | ((rest === 2 ? bytes[whole + 1]! : 0) << 8)
    pairs[to] = PAIR_OF[word >> 12]!
    if (rest === 2) pairs[to + 1] = PAIR_OF[word & 0xfff]!
  }
  return toText.decode(codes.subarray(0, length))
}
