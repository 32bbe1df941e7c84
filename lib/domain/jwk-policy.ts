// Which keys of an issuer's set may verify, and which of them verifies one token (issuers.md §0.2; attacks rows 2, 3, 7-11,
// 17, 18). A key that is not plainly good is dropped with its reason, before any crypto library is given it. Pure.
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './claims.ts'
import { isKid } from './compact-jws.ts'
import { LIMITS } from './limits.ts'
import type { SignatureAlgorithm } from './provider.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import { isRocaModulus } from './weak-rsa.ts'
import { CURVES, type CurveName, isCurveName, isOnCurve } from './weierstrass.ts'

export type RsaJwk = { readonly kty: 'RSA'; readonly n: string; readonly e: string }
export type EcJwk = { readonly kty: 'EC'; readonly crv: CurveName; readonly x: string; readonly y: string }
/** A public key and nothing else: members in canonical form, no leading zero in n. */
export type PublicJwk = RsaJwk | EcJwk

export type UsableJwk = {
  readonly kid: string
  readonly kty: 'RSA' | 'EC'
  /** As the set states it; null: not stated. */
  readonly alg: SignatureAlgorithm | null
  readonly jwk: PublicJwk
}

export type DropReason =
  | 'set_malformed'
  | 'set_too_large'
  | 'not_an_object'
  | 'symmetric' // the mixed set of row 10: an HMAC key that verifies is a key that signs
  | 'private_key_published'
  | 'kid_missing'
  | 'kid_duplicate'
  | 'use'
  | 'key_ops'
  | 'alg'
  | KeyProblem

/** What is wrong with a key itself. */
export type KeyProblem =
  | 'kty_unsupported'
  | 'encoding'
  | 'modulus_size'
  | 'modulus_even'
  | 'exponent'
  | 'roca'
  | 'crv_unsupported'
  | 'not_on_curve'

export type DroppedJwk = { readonly kid: string | null; readonly reason: DropReason }
export type UsableKeys = { readonly keys: readonly UsableJwk[]; readonly dropped: readonly DroppedJwk[] }

export type KeyPolicy = {
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Accepted `use` values besides absent; `jwt-svid` is for SPIFFE bundles only. */
  readonly uses?: readonly string[]
}

/** Members that only a private (or symmetric) key has (RFC 7518 §6.2.2, 6.3.2, 6.4.1). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

export const hasPrivateMember = (jwk: JsonObject): boolean =>
  PRIVATE_MEMBERS.some((member) => jwk[member] !== undefined)

/** Never throws, never refuses the whole set for one bad key; a set over the limit has no usable key. */
export const usableKeys = (jwks: JsonValue, policy: KeyPolicy): UsableKeys => {
  const list = isJsonObject(jwks) ? jwks['keys'] : null
  if (!Array.isArray(list)) return { keys: [], dropped: [{ kid: null, reason: 'set_malformed' }] }
  // Taking the first 64 would let the order of a set decide who may sign.
  if (list.length > LIMITS.jwksKeysMax) return { keys: [], dropped: [{ kid: null, reason: 'set_too_large' }] }

  const seen = countKids(list)
  const keys: UsableJwk[] = []
  const dropped: DroppedJwk[] = []
  for (const entry of list as readonly JsonValue[]) {
    const judged = judgeKey(entry, policy, seen)
    if (typeof judged === 'string') dropped.push({ kid: kidOf(entry), reason: judged })
    else keys.push(judged)
  }
  return { keys, dropped }
}

const kidOf = (entry: JsonValue): string | null => {
  const kid = isJsonObject(entry) ? entry['kid'] : null
  return isKid(kid) ? kid : null
}

/** Keys that are dropped for another reason count too: a kid must name one key of the set, whatever that key is for. */
const countKids = (list: readonly JsonValue[]): ReadonlyMap<string, number> => {
  const seen = new Map<string, number>()
  for (const entry of list) {
    const kid = kidOf(entry)
    if (kid !== null) seen.set(kid, (seen.get(kid) ?? 0) + 1)
  }
  return seen
}

const judgeKey = (entry: JsonValue, policy: KeyPolicy, seen: ReadonlyMap<string, number>): UsableJwk | DropReason => {
  if (!isJsonObject(entry)) return 'not_an_object'
  const { kty, use, key_ops: keyOps, alg: stated = null } = entry
  if (kty === 'oct') return 'symmetric'
  if (hasPrivateMember(entry)) return 'private_key_published'
  const kid = kidOf(entry)
  if (kid === null) return 'kid_missing'
  if (seen.get(kid) !== 1) return 'kid_duplicate'
  if (use !== undefined && !(policy.uses ?? ['sig']).some((accepted) => accepted === use)) return 'use'
  if (keyOps !== undefined && !(Array.isArray(keyOps) && keyOps.includes('verify'))) return 'key_ops'
  const jwk = readPublicJwk(entry)
  if (typeof jwk === 'string') return jwk
  const fitting = policy.algorithms.filter((alg) => fitsAlgorithm(jwk, alg))
  const alg = stated === null ? null : fitting.find((allowed) => allowed === stated)
  if (fitting.length === 0 || alg === undefined) return 'alg'
  return { kid, kty: jwk.kty, alg, jwk }
}

/** The public key in a JWK, reduced to what makes it that key, or what is wrong with it. Looks at no other member. */
export const readPublicJwk = (jwk: JsonObject): PublicJwk | KeyProblem => {
  if (jwk['kty'] === 'RSA') return readRsa(jwk)
  return jwk['kty'] === 'EC' ? readEc(jwk) : 'kty_unsupported'
}

const bytesOf = (value: JsonValue | undefined): Uint8Array | null =>
  typeof value === 'string' && value !== '' ? decodeBase64url(value) : null

const EXPONENT_BYTES_MAX = 4

const readRsa = (jwk: JsonObject): RsaJwk | KeyProblem => {
  const stated = bytesOf(jwk['n'])
  const exponent = bytesOf(jwk['e'])
  if (stated === null || exponent === null) return 'encoding'
  // Java's BigInteger writes a sign byte; Jenkins publishes it (issuers.md §2.7). One, not a run of them.
  const n = stated[0] === 0 ? stated.subarray(1) : stated
  if (n.length === 0 || n[0] === 0) return 'encoding'
  const bits = n.length * 8 - Math.clz32(n[0] as number) + 24
  if (bits < LIMITS.rsaModulusBitsMin || bits > LIMITS.rsaModulusBitsMax) return 'modulus_size'
  if (((n[n.length - 1] as number) & 1) === 0) return 'modulus_even'
  // e = 1 verifies anything its holder writes; a huge one makes each verification cost like a signature.
  if (exponent.length > EXPONENT_BYTES_MAX || exponent[0] === 0) return 'exponent'
  const e = exponent.reduce((value, byte) => value * 256 + byte, 0)
  if (e < 3 || e % 2 === 0) return 'exponent'
  if (isRocaModulus(n)) return 'roca'
  return { kty: 'RSA', n: encodeBase64url(n), e: jwk['e'] as string }
}

const readEc = (jwk: JsonObject): EcJwk | KeyProblem => {
  const { crv, x, y } = jwk
  if (!isCurveName(crv)) return 'crv_unsupported'
  const xBytes = bytesOf(x)
  const yBytes = bytesOf(y)
  const { bytes } = CURVES[crv]
  if (xBytes?.length !== bytes || yBytes?.length !== bytes) return 'encoding'
  return isOnCurve(crv, xBytes, yBytes) ? { kty: 'EC', crv, x: x as string, y: y as string } : 'not_on_curve'
}

const CURVE_OF: Readonly<Partial<Record<SignatureAlgorithm, CurveName>>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
}

/** Whether a key is of the type, and on the curve, its algorithm needs (RFC 7518 §3.1). */
export const fitsAlgorithm = (jwk: PublicJwk, alg: SignatureAlgorithm): boolean => {
  const curve = CURVE_OF[alg]
  return jwk.kty === 'RSA' ? curve === undefined : jwk.crv === curve
}

/** The one key that may verify: by kid, then by fit. Refuses: key_unknown, key_unusable. */
export const keyFor = (keys: readonly UsableJwk[], kid: string, alg: SignatureAlgorithm): Result<UsableJwk> => {
  const key = keys.find((candidate) => candidate.kid === kid)
  if (key === undefined) return refuse('key_unknown', { kid })
  if (!fitsAlgorithm(key.jwk, alg) || (key.alg !== null && key.alg !== alg)) return refuse('key_unusable', { kid, alg })
  return ok(key)
}
