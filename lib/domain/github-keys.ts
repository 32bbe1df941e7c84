// Keys and signatures of GitHub's secret scanning partner program, in the forms the rest here knows: a list of PEM public keys
// becomes a JWK Set, an ASN.1 signature becomes r and s. All of them are P-256 with SHA-256. Pure.
import { encodeBase64url } from './base64url.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './claims.ts'

/** SubjectPublicKeyInfo of an uncompressed point on P-256, up to the point (RFC 5480 §2): it is always these bytes. */
const SPKI_P256 = '3059301306072a8648ce3d020106082a8648ce3d030107034200' + '04'
const COORDINATE_BYTES = 32

const PEM = /^-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]{1,400})-----END PUBLIC KEY-----\s*$/

/** `{public_keys: [{key_identifier, key}]}` as a JWK Set; a key of any other kind is left out. */
export const githubKeySet = (answer: JsonValue): JsonObject => {
  const list = isJsonObject(answer) ? answer['public_keys'] : null
  return { keys: Array.isArray(list) ? (list as readonly JsonValue[]).flatMap((entry) => jwkOf(entry) ?? []) : [] }
}

const jwkOf = (entry: JsonValue): JsonObject | null => {
  if (!isJsonObject(entry)) return null
  const { key_identifier: kid, key } = entry
  const encoded = typeof key === 'string' ? PEM.exec(key)?.[1] : undefined
  const der = encoded === undefined ? null : decodeBase64(encoded.replace(/[\r\n]/g, ''))
  if (typeof kid !== 'string' || der === null) return null
  const prefix = SPKI_P256.length / 2
  if (der.length !== prefix + 2 * COORDINATE_BYTES || hexOf(der.subarray(0, prefix)) !== SPKI_P256) return null
  const [x, y] = [der.subarray(prefix, prefix + COORDINATE_BYTES), der.subarray(prefix + COORDINATE_BYTES)]
  return { kty: 'EC', crv: 'P-256', x: encodeBase64url(x), y: encodeBase64url(y), kid, use: 'sig' }
}

/** r and s, 32 bytes each, of an ASN.1 signature in base64; null: it is none, or not written in the one way DER has. */
export const rawSignature = (base64: string): Uint8Array<ArrayBuffer> | null => {
  const der = base64.length <= 128 ? decodeBase64(base64) : null
  if (der === null || der[0] !== 0x30 || der[1] !== der.length - 2) return null
  const r = integerAt(der, 2)
  const s = r === null ? null : integerAt(der, r.end)
  if (r === null || s === null || s.end !== der.length) return null
  const raw = new Uint8Array(2 * COORDINATE_BYTES)
  raw.set(r.bytes, COORDINATE_BYTES - r.bytes.length)
  raw.set(s.bytes, 2 * COORDINATE_BYTES - s.bytes.length)
  return raw
}

/** A positive INTEGER of at most 32 bytes, without its sign byte. */
const integerAt = (der: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly end: number } | null => {
  const length = der[at + 1] ?? 0
  const end = at + 2 + length
  if (der[at] !== 0x02 || length === 0 || end > der.length) return null
  const [first, second] = [der[at + 2]!, der[at + 3] ?? 0]
  if (first >= 0x80 || (first === 0 && length > 1 && second < 0x80)) return null
  const bytes = der.subarray(first === 0 ? at + 3 : at + 2, end)
  return bytes.length <= COORDINATE_BYTES ? { bytes, end } : null
}

const decodeBase64 = (text: string): Uint8Array<ArrayBuffer> | null => {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
