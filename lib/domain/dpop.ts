// DPoP proofs (RFC 9449 §4.3): every check that needs neither cryptography nor memory. The signature is the adapter's
// (ports/evidence.ts), the single use of a jti is the record store's, the single DPoP header is the edge's. Pure.
import type { JsonObject } from './claims.ts'
import type { UnverifiedJws } from './compact-jws.ts'
import { fitsAlgorithm, hasPrivateMember, type PublicJwk, readPublicJwk } from './jwk-policy.ts'
import { LIMITS } from './limits.ts'
import type { SignatureAlgorithm } from './provider.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import { utf8Length } from './utf8.ts'

/** Published as dpop_signing_alg_values_supported. */
export const DPOP_ALGORITHMS: readonly SignatureAlgorithm[] = ['ES256', 'ES384', 'RS256', 'PS256']

export type CheckedProof = {
  readonly alg: SignatureAlgorithm
  /** Judged like an issuer's key; public members only. */
  readonly jwk: PublicJwk
  readonly jti: string
  readonly iat: number
  /** Of which access token it was made, as it says: for whoever is sent one (§7), and nothing where none is. */
  readonly ath: string | null
}

export type ProofRequest = {
  readonly method: string
  /** The endpoint as we publish it, never as a Host header has it. */
  readonly url: string
  readonly nowSeconds: number
}

const HEADER_MEMBERS: ReadonlySet<string> = new Set(['alg', 'typ', 'jwk', 'kid'])

/** Refuses: dpop_invalid, with the part that is wrong. */
export const checkDpopProof = (
  { header, claims }: Pick<UnverifiedJws, 'header' | 'claims'>,
  request: ProofRequest,
): Result<CheckedProof> => {
  const no = (problem: string) => refuse('dpop_invalid', { problem })
  if (header.members.some((member) => !HEADER_MEMBERS.has(member))) return no('header')
  if (header.typ !== 'dpop+jwt') return no('typ')
  const alg = DPOP_ALGORITHMS.find((allowed) => allowed === header.alg)
  if (alg === undefined) return no('alg')
  const jwk = proofKey(header.jwk)
  if (jwk === null || !fitsAlgorithm(jwk, alg)) return no('jwk')
  const { jti, htm, htu, iat, ath } = claims
  if (typeof jti !== 'string' || jti === '' || utf8Length(jti) > LIMITS.jtiBytesMax) return no('jti')
  if (htm !== request.method) return no('htm')
  const target = typeof htu === 'string' ? comparableUrl(htu) : null
  if (target === null || target !== comparableUrl(request.url)) return no('htu')
  if (typeof iat !== 'number' || !Number.isInteger(iat)) return no('iat')
  // Either way: a proof of the future would still be good after its jti was forgotten.
  if (Math.abs(request.nowSeconds - iat) > LIMITS.dpopProofAgeSecondsMax) return no('iat')
  return ok({ alg, jwk, jti, iat, ath: typeof ath === 'string' ? ath : null })
}

/** A private key in a header is no longer its holder's alone, so possession of it proves nothing. */
const proofKey = (stated: JsonObject | null): PublicJwk | null => {
  if (stated === null || hasPrivateMember(stated)) return null
  const jwk = readPublicJwk(stated)
  return typeof jwk === 'string' ? null : jwk
}

// Only what a URI may contain: the URL parser would drop tabs and turn backslashes into slashes before the comparison.
const HTTP_URI = /^https?:\/\/[A-Za-z0-9\-._~:/?#[\]!$&'()*+,;=%]+$/i

/**
 * A URL as RFC 9449 §4.3 compares it: without query and fragment, normalized by case, port, dot segments and percent-encoding
 * (RFC 3986 §6.2.2-6.2.3). Null: not an http(s) URL, or one with userinfo.
 */
const comparableUrl = (text: string): string | null => {
  if (!HTTP_URI.test(text) || !URL.canParse(text)) return null
  const { protocol, host, pathname } = new URL(text)
  return `${protocol}//${host}${pathname.replace(/%[0-9a-f]{2}/gi, normalizeEscape)}`
}

const normalizeEscape = (triplet: string): string => {
  const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16))
  return /[A-Za-z0-9\-._~]/.test(character) ? character : triplet.toUpperCase()
}

/** RFC 7638 §3: the text whose SHA-256 names the key: its required members, in lexical order, without spaces. */
export const thumbprintInput = (jwk: PublicJwk): string =>
  jwk.kty === 'RSA'
    ? JSON.stringify({ e: jwk.e, kty: jwk.kty, n: jwk.n })
    : JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y })
