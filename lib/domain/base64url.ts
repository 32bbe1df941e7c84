// Base64url without padding (RFC 4648 §5), canonical forms only: one byte string has exactly one text, so a token cannot be
// rewritten into another that decodes alike (attacks row 15). Tables instead of Buffer: web runtimes run this too. Pure.
import { LIMITS } from './limits.ts'

const toBytes = new TextEncoder()
const toText = new TextDecoder()

const CODE_OF = toBytes.encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')

/** 6 bits of each character of the alphabet; 255, which is more than 6 bits hold, for every other byte. */
const VALUE_OF = new Uint8Array(256).fill(0xff)
for (let i = 0; i < CODE_OF.length; i += 1) VALUE_OF[CODE_OF[i]!] = i

/**
 * The bytes of canonical base64url, or null: padding, whitespace, another alphabet, an impossible length, or bits set past
 * the last byte. The empty text is zero bytes.
 */
export const decodeBase64url = (text: string): Uint8Array<ArrayBuffer> | null => {
  const codes = codesOf(text)
  // Not ASCII is more than one byte a character, and never one below 128.
  const length = text.length
  const tail = length & 3
  if (tail === 1) return null
  const whole = length - tail
  const bytes = new Uint8Array((whole >> 2) * 3 + (tail === 0 ? 0 : tail - 1))
  // Every value is or-ed into `seen`: no branch for bad characters in the loop, one test at the end finds any.
  let seen = 0
  let to = 0
  for (let i = 0; i < whole; i += 4) {
    const a = VALUE_OF[codes[i]!]!
    const b = VALUE_OF[codes[i + 1]!]!
    const c = VALUE_OF[codes[i + 2]!]!
    const d = VALUE_OF[codes[i + 3]!]!
    seen |= a | b | c | d
    bytes[to] = (a << 2) | (b >> 4)
    bytes[to + 1] = (b << 4) | (c >> 2)
    bytes[to + 2] = (c << 6) | d
    to += 3
  }
  if (tail !== 0) {
    const a = VALUE_OF[codes[whole]!]!
    const b = VALUE_OF[codes[whole + 1]!]!
    const c = tail === 3 ? VALUE_OF[codes[whole + 2]!]! : 0
    seen |= a | b | c
    bytes[to] = (a << 2) | (b >> 4)
    if (tail === 3) bytes[to + 1] = (b << 4) | (c >> 2)
    // Bits that belong to no byte must be zero.
    if ((tail === 2 ? b & 0x0f : c & 0x03) !== 0) return null
  }
  return seen > 63 ? null : bytes
}

/** What a text is encoded into while it is read, by one call at a time; longer texts get bytes of their own. */
const scratch = new Uint8Array(LIMITS.tokenBytesMax)

/** At least the UTF-8 of the text: reading a slice of a string character by character is three times slower. */
const codesOf = (text: string): Uint8Array => {
  if (text.length * 3 > scratch.length) return toBytes.encode(text)
  toBytes.encodeInto(text, scratch)
  return scratch
}

/** Canonical base64url of a text's UTF-8. */
export const encodeBase64urlText = (text: string): string => {
  if (text.length * 3 > scratch.length) return encodeBase64url(toBytes.encode(text))
  return encodeBase64url(scratch.subarray(0, toBytes.encodeInto(text, scratch).written))
}

/** Canonical base64url of the bytes. */
export const encodeBase64url = (bytes: Uint8Array): string => {
  const codes = new Uint8Array(Math.ceil((bytes.length * 4) / 3))
  const whole = bytes.length - (bytes.length % 3)
  let to = 0
  for (let i = 0; i < whole; i += 3) {
    const word = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    codes[to] = CODE_OF[word >> 18]!
    codes[to + 1] = CODE_OF[(word >> 12) & 63]!
    codes[to + 2] = CODE_OF[(word >> 6) & 63]!
    codes[to + 3] = CODE_OF[word & 63]!
    to += 4
  }
  if (whole < bytes.length) {
    const word = (bytes[whole]! << 16) | ((bytes[whole + 1] ?? 0) << 8)
    codes[to] = CODE_OF[word >> 18]!
    codes[to + 1] = CODE_OF[(word >> 12) & 63]!
    if (whole + 2 === bytes.length) codes[to + 2] = CODE_OF[(word >> 6) & 63]!
  }
  return toText.decode(codes)
}
