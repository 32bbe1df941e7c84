// Which keys of a fetched or inline set may verify evidence (issuers.md §0.2; attacks rows 9-11, 17, 18). A key that is not
// clearly fine is dropped with a reason; "try all keys" does not exist. Pure.
import { decodeBase64url } from './base64url.ts'
import type { JsonObject, JsonValue } from './claims.ts'
import { utf8Length } from './json.ts'
import { LIMITS } from './limits.ts'
import type { SignatureAlgorithm } from './provider.ts'
import { refuse } from './refusal.ts'
import { type Result, ok } from './result.ts'

export type UsableJwk = {
  readonly kid: string
  readonly kty: 'RSA' | 'EC'
  readonly crv: string | null
  /** As the key states it; null: any algorithm of its type that the issuer is registered for. */
  readonly alg: string | null
  /** Only the public members needed for import. */
  readonly jwk: JsonObject
}

export type KeySetReading = {
  readonly keys: readonly UsableJwk[]
  readonly dropped: readonly { readonly kid: string | null; readonly reason: string }[]
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const EC_COORDINATE_BYTES: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 }

/** Reads a JWK set. `uses`: accepted values of `use` besides absent (SPIFFE bundles: jwt-svid). */
export const usableKeys = (jwks: JsonValue, options: { readonly uses?: readonly string[] } = {}): KeySetReading => {
  const uses = options.uses ?? ['sig']
  const list = typeof jwks === 'object' && jwks !== null && !Array.isArray(jwks) ? (jwks as JsonObject)['keys'] : undefined
  if (!Array.isArray(list)) return { keys: [], dropped: [{ kid: null, reason: 'not a JWK set' }] }
  if (list.length > LIMITS.jwksKeysMax) return { keys: [], dropped: [{ kid: null, reason: 'more keys than the limit' }] }
  const seen = new Map<string, number>()
  for (const entry of list) {
    const kid = kidOf(entry)
    if (kid !== null) seen.set(kid, (seen.get(kid) ?? 0) + 1)
  }
  const keys: UsableJwk[] = []
  const dropped: { kid: string | null; reason: string }[] = []
  for (const entry of list) {
    const kid = kidOf(entry)
    const read = kid !== null && seen.get(kid) !== 1 ? 'duplicate kid' : readKey(entry as JsonValue, kid, uses)
    if (typeof read === 'string') dropped.push({ kid, reason: read })
    else keys.push(read)
  }
  return { keys, dropped }
}

const kidOf = (entry: unknown): string | null => {
  const kid = typeof entry === 'object' && entry !== null ? (entry as JsonObject)['kid'] : null
  return typeof kid === 'string' ? kid : null
}

const readKey = (entry: JsonValue, kid: string | null, uses: readonly string[]): UsableJwk | string => {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'not an object'
  const key = entry as JsonObject
  if (kid === null || kid === '' || utf8Length(kid) > LIMITS.kidBytesMax) return 'no usable kid'
  const { use, alg, key_ops: operations } = key
  if (PRIVATE_MEMBERS.some((member) => member in key)) return 'private or symmetric key material is published'
  if (use !== undefined && !(typeof use === 'string' && uses.includes(use))) return 'use is not for signatures'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return 'key_ops lacks verify'
  if (alg !== undefined && typeof alg !== 'string') return 'alg is not a string'
  const stated = alg ?? null
  if (key['kty'] === 'RSA') return readRsa(key, kid, stated)
  if (key['kty'] === 'EC') return readEc(key, kid, stated)
  return 'kty is not RSA or EC'
}

const readRsa = (key: JsonObject, kid: string, alg: string | null): UsableJwk | string => {
  const { n, e } = key
  const modulus = typeof n === 'string' ? decodeBase64url(n) : null
  const exponent = typeof e === 'string' ? decodeBase64url(e) : null
  if (modulus === null || exponent === null) return 'n or e is not base64url'
  // Jenkins writes a leading zero byte (issuers.md §0.2).
  const bytes = modulus[0] === 0 ? modulus.subarray(1) : modulus
  if (bytes.length === 0 || bytes[0] === 0) return 'n is malformed'
  const bits = bytes.length * 8 - (Math.clz32(bytes[0]!) - 24)
  if (bits < LIMITS.rsaModulusBitsMin || bits > LIMITS.rsaModulusBitsMax) return 'modulus is too short or too long'
  if (exponent.length === 0 || exponent.length > 4) return 'exponent is out of range'
  const value = exponent.reduce((sum, byte) => sum * 256 + byte, 0)
  if (value <= 2 || value % 2 === 0) return 'exponent is even or too small'
  if (isRoca(bytes)) return 'modulus has the ROCA fingerprint'
  return { kid, kty: 'RSA', crv: null, alg, jwk: { kty: 'RSA', n: n as string, e: e as string } }
}

const readEc = (key: JsonObject, kid: string, alg: string | null): UsableJwk | string => {
  const { crv, x, y } = key
  const size = typeof crv === 'string' && Object.hasOwn(EC_COORDINATE_BYTES, crv) ? EC_COORDINATE_BYTES[crv] : undefined
  if (size === undefined) return 'curve is not P-256, P-384 or P-521'
  for (const coordinate of [x, y]) {
    if (typeof coordinate !== 'string' || decodeBase64url(coordinate)?.length !== size) return 'a coordinate has the wrong length'
  }
  return { kid, kty: 'EC', crv: crv as string, alg, jwk: { kty: 'EC', crv: crv as string, x: x as string, y: y as string } }
}

// CVE-2017-15361 (ROCA): such moduli are powers of 65537 modulo every small prime. All of these primes agreeing by chance
// has a probability of about 2^-154.
const ROCA_PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]

const powersOf65537 = (prime: number): ReadonlySet<number> => {
  const powers = new Set<number>()
  for (let power = 1; !powers.has(power); power = (power * 65_537) % prime) powers.add(power)
  return powers
}
const ROCA_RESIDUES = ROCA_PRIMES.map((prime) => ({ prime, residues: powersOf65537(prime) }))

const isRoca = (modulus: Uint8Array): boolean =>
  ROCA_RESIDUES.every(({ prime, residues }) => residues.has(modulus.reduce((remainder, byte) => (remainder * 256 + byte) % prime, 0)))

const CURVE_OF: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

/** The one key with this kid, if it may verify this algorithm. Refuses: key_unknown, key_unusable. */
export const keyFor = (keys: readonly UsableJwk[], kid: string, alg: SignatureAlgorithm): Result<UsableJwk> => {
  const key = keys.find((candidate) => candidate.kid === kid)
  if (key === undefined) return refuse('key_unknown', { kid })
  return isFit(key, alg) ? ok(key) : refuse('key_unusable', { kid, alg, kty: key.kty })
}

/** kty and curve fit the algorithm, and a key that states an algorithm verifies no other. */
export const isFit = (key: UsableJwk, alg: SignatureAlgorithm): boolean =>
  (key.alg === null || key.alg === alg) && (alg.startsWith('ES') ? key.crv === CURVE_OF[alg] : key.kty === 'RSA')
