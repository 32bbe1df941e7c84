// base64url without padding (RFC 4648 §5), canonical or refused: a second spelling of one token would be a second replay key
// (attacks §0.3, row 15). Pure JavaScript, so that it also serves runtimes without Buffer.
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const INVALID = 0xff
const VALUE_OF = new Uint8Array(128).fill(INVALID)
for (let value = 0; value < 64; value += 1) VALUE_OF[ALPHABET.charCodeAt(value)] = value

/** The bytes, or null: any character outside the alphabet, a length no encoder makes, or non-zero trailing bits. */
export const decodeBase64url = (text: string): Uint8Array | null => {
  const { length } = text
  const rest = length % 4
  if (rest === 1) return null
  const bytes = new Uint8Array((length * 3) >> 2)
  let at = 0
  let seen = 0
  const whole = length - rest
  for (let i = 0; i < whole; i += 4) {
    const a = valueAt(text, i)
    const b = valueAt(text, i + 1)
    const c = valueAt(text, i + 2)
    const d = valueAt(text, i + 3)
    seen |= a | b | c | d
    bytes[at++] = (a << 2) | (b >> 4)
    bytes[at++] = (b << 4) | (c >> 2)
    bytes[at++] = (c << 6) | d
  }
  if (rest > 0) {
    const a = valueAt(text, whole)
    const b = valueAt(text, whole + 1)
    const c = rest === 3 ? valueAt(text, whole + 2) : 0
    seen |= a | b | c
    // INVARIANT: bits that encode nothing are zero, or the text is not canonical.
    if (rest === 2 ? (b & 0x0f) !== 0 : (c & 0x03) !== 0) return null
    bytes[at++] = (a << 2) | (b >> 4)
    if (rest === 3) bytes[at++] = (b << 4) | (c >> 2)
  }
  return (seen & 0x80) === 0 ? bytes : null
}

const valueAt = (text: string, index: number): number => {
  const code = text.charCodeAt(index)
  return code < 128 ? VALUE_OF[code]! : INVALID
}

/** Unpadded base64url of any bytes. */
export const encodeBase64url = (bytes: Uint8Array): string => {
  let text = ''
  const whole = bytes.length - (bytes.length % 3)
  for (let i = 0; i < whole; i += 3) {
    const n = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    text += ALPHABET[n >> 18]! + ALPHABET[(n >> 12) & 63]! + ALPHABET[(n >> 6) & 63]! + ALPHABET[n & 63]!
  }
  if (bytes.length - whole === 1) text += ALPHABET[bytes[whole]! >> 2]! + ALPHABET[(bytes[whole]! & 3) << 4]!
  if (bytes.length - whole === 2) {
    const n = (bytes[whole]! << 8) | bytes[whole + 1]!
    text += ALPHABET[n >> 10]! + ALPHABET[(n >> 4) & 63]! + ALPHABET[(n & 15) << 2]!
  }
  return text
}
