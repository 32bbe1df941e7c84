// Base64url without padding (RFC 4648 §5), canonical forms only: one byte string has exactly one text, so a token cannot be
// rewritten into another that decodes alike (attacks row 15). Tables instead of Buffer: web runtimes run this too. Pure.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const INVALID = 0xff

const VALUE_OF = new Uint8Array(128).fill(INVALID)
for (let i = 0; i < ALPHABET.length; i += 1) VALUE_OF[ALPHABET.charCodeAt(i)] = i

/** The 6 bits of one character; INVALID for any other, which sets the two bits no 6-bit value has. */
const sextet = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  return code < 128 ? (VALUE_OF[code] as number) : INVALID
}

/**
 * The bytes of canonical base64url, or null: padding, whitespace, another alphabet, an impossible length, or bits set past
 * the last byte. The empty text is zero bytes.
 */
export const decodeBase64url = (text: string): Uint8Array<ArrayBuffer> | null => {
  const tail = text.length & 3
  if (tail === 1) return null
  const whole = text.length - tail
  const bytes = new Uint8Array((whole >> 2) * 3 + (tail === 0 ? 0 : tail - 1))
  // Every sextet is or-ed into `seen`, so the loop has no branch for bad characters and one test at the end finds any.
  let seen = 0
  let to = 0
  for (let i = 0; i < whole; i += 4) {
    const a = sextet(text, i)
    const b = sextet(text, i + 1)
    const c = sextet(text, i + 2)
    const d = sextet(text, i + 3)
    seen |= a | b | c | d
    bytes[to] = (a << 2) | (b >> 4)
    bytes[to + 1] = (b << 4) | (c >> 2)
    bytes[to + 2] = (c << 6) | d
    to += 3
  }
  if (tail !== 0) {
    const a = sextet(text, whole)
    const b = sextet(text, whole + 1)
    const c = tail === 3 ? sextet(text, whole + 2) : 0
    seen |= a | b | c
    bytes[to] = (a << 2) | (b >> 4)
    if (tail === 3) bytes[to + 1] = (b << 4) | (c >> 2)
    // Trailing bits that belong to no byte must be zero.
    if ((tail === 2 ? b & 0x0f : c & 0x03) !== 0) return null
  }
  return seen > 63 ? null : bytes
}

/** Canonical base64url of the bytes. */
export const encodeBase64url = (bytes: Uint8Array): string => {
  let text = ''
  const whole = bytes.length - (bytes.length % 3)
  for (let i = 0; i < whole; i += 3) {
    const word = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    text += ALPHABET[word >> 18]! + ALPHABET[(word >> 12) & 63]! + ALPHABET[(word >> 6) & 63]! + ALPHABET[word & 63]!
  }
  const rest = bytes.length - whole
  if (rest === 1) {
    const word = bytes[whole]!
    text += ALPHABET[word >> 2]! + ALPHABET[(word << 4) & 63]!
  } else if (rest === 2) {
    const word = (bytes[whole]! << 8) | bytes[whole + 1]!
    text += ALPHABET[word >> 10]! + ALPHABET[(word >> 4) & 63]! + ALPHABET[(word << 2) & 63]!
  }
  return text
}
