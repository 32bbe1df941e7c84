// DPoP proofs, the part that needs no cryptography (RFC 9449 §4.3, standards.md §1.6). Pure.
import { decodeBase64url } from './base64url.ts'
import type { JsonObject } from './claims.ts'
import type { UnverifiedJws } from './compact-jws.ts'
import { LIMITS } from './limits.ts'
import type { SignatureAlgorithm } from './provider.ts'
import { refuse } from './refusal.ts'
import { type Result, ok } from './result.ts'

export const DPOP_ALGORITHMS: readonly SignatureAlgorithm[] = ['ES256', 'ES384', 'RS256', 'PS256']

export type CheckedProof = { readonly alg: SignatureAlgorithm; readonly jwk: JsonObject; readonly jti: string; readonly iat: number }

const JTI_CHARS_MIN = 12
const HEADER_MEMBERS: ReadonlySet<string> = new Set(['alg', 'typ', 'jwk', 'kid'])

/** Every check but signature and replay. The key it names is judged like an issuer's. Refuses: dpop_invalid. */
export const checkDpopProof = (
  proof: Pick<UnverifiedJws, 'header' | 'claims'>,
  request: { readonly method: string; readonly url: string; readonly nowSeconds: number },
): Result<CheckedProof> => {
  const { header, claims } = proof
  const no = (problem: string) => refuse('dpop_invalid', { problem })
  for (const member in header) if (!HEADER_MEMBERS.has(member)) return no('header member')
  if (header['typ'] !== 'dpop+jwt') return no('typ')
  const alg = DPOP_ALGORITHMS.find((algorithm) => algorithm === header['alg'])
  if (alg === undefined) return no('alg')
  const jwk = publicMembers(header['jwk'])
  if (jwk === null) return no('jwk')
  const { jti, htm, htu, iat } = claims
  if (typeof jti !== 'string' || jti.length < JTI_CHARS_MIN || jti.length > LIMITS.jtiBytesMax) return no('jti')
  if (htm !== request.method) return no('htm')
  if (typeof htu !== 'string' || normalizedUrl(htu) !== normalizedUrl(request.url)) return no('htu')
  if (typeof iat !== 'number' || !Number.isInteger(iat) || Math.abs(request.nowSeconds - iat) > LIMITS.dpopProofAgeSecondsMax) return no('iat')
  return ok({ alg, jwk, jti, iat })
}

/** Without query and fragment, as the standard compares it (RFC 9449 §4.3 check 9). */
const normalizedUrl = (text: string): string => text.replace(/[?#].*$/s, '')

/** The public members of an RSA or EC key, or null: anything private in it makes the proof worthless. */
const publicMembers = (jwk: unknown): JsonObject | null => {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return null
  const key = jwk as JsonObject
  if (['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].some((member) => member in key)) return null
  const members = key['kty'] === 'EC' ? ['crv', 'kty', 'x', 'y'] : key['kty'] === 'RSA' ? ['e', 'kty', 'n'] : null
  if (members === null || members.some((member) => typeof key[member] !== 'string')) return null
  for (const member of members) if (member !== 'kty' && member !== 'crv' && decodeBase64url(key[member] as string) === null) return null
  return Object.fromEntries(members.map((member) => [member, key[member] as string]))
}

/** RFC 7638 §3: the text whose SHA-256 is the thumbprint. Members are already the required ones, in lexical order. */
export const thumbprintInput = (jwk: JsonObject): string => JSON.stringify(Object.fromEntries(Object.keys(jwk).sort().map((member) => [member, jwk[member]])))
