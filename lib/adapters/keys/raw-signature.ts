// ECDSA signatures as JWS has them: OpenSSL's DER SEQUENCE of two INTEGERs becomes r ‖ s of 32 bytes each (RFC 7518 §3.4).
// By hand, because asking Node for it costs more than the signature itself.

const PART_BYTES = 32

/** `der`: what node:crypto made for a P-256 key; 64 bytes come back. */
export const rawSignature = (der: Buffer): Buffer => {
  const raw = Buffer.alloc(2 * PART_BYTES)
  // A P-256 signature is at most 72 bytes, so every length is one byte: 30 len 02 len r 02 len s.
  const rLength = der[3]!
  const sAt = 4 + rLength + 2
  const sLength = der[sAt - 1]!
  if (der[0] !== 0x30 || der[2] !== 0x02 || der[sAt - 2] !== 0x02 || sAt + sLength !== der.length)
    throw new TypeError('not a DER signature of P-256')
  copyRight(der, 4, rLength, raw, PART_BYTES)
  copyRight(der, sAt, sLength, raw, 2 * PART_BYTES)
  return raw
}

/**
 * The `length` bytes at `start`, right-aligned before `end`, without the zero byte that keeps a DER INTEGER positive. Byte by byte:
 * views of so few bytes, and copying between them, cost ten times as much.
 */
const copyRight = (der: Buffer, start: number, length: number, into: Buffer, end: number): void => {
  const count = Math.min(length, PART_BYTES)
  for (let back = 1; back <= count; back += 1) into[end - back] = der[start + length - back]!
}
