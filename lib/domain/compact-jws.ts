// A compact JWS (RFC 7515 §7.1) taken apart by the strictest reading: size, then shape, then each part, and nothing decoded
// before the check that bounds it (attacks rows 1-7, 15, 19-30, 34). What comes out is unverified, and its type says so. Pure.
import { type DecodeBase64url, decodeBase64url, encodeBase64url } from './base64url.ts'
import { isJsonObject, type JsonObject, type UnverifiedClaims } from './claims.ts'
import { parseStrictJson } from './json.ts'
import { LIMITS } from './limits.ts'
import type { SignatureAlgorithm } from './provider.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import { decodeUtf8, utf8Length } from './utf8.ts'

export type JoseHeader = {
  readonly alg: string
  /** A string of 1-256 UTF-8 bytes, to be used as a map key only; null: absent. */
  readonly kid: string | null
  readonly typ: string | null
  /** The embedded key of a DPoP proof; null in everything else, where the member refuses the token. */
  readonly jwk: JsonObject | null
  /** Names of all header members. */
  readonly members: readonly string[]
}

/** Nobody has vouched for any of it: the signature was decoded, not verified. */
export type UnverifiedJws = {
  readonly header: JoseHeader
  readonly claims: UnverifiedClaims
  /** The first two parts as sent, dot included: ASCII. */
  readonly signingInput: string
  readonly signature: Uint8Array<ArrayBuffer>
}

/**
 * Members that change which key or which bytes a verifier believes in. No issuer's configuration can allow them: they carry
 * or fetch the attacker's key (jwk, jku, x5u, x5c), change what is signed (b64, crit), or what the payload is (zip, cty).
 */
const DANGEROUS_MEMBERS: ReadonlySet<string> = new Set(['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'cty'])

/** The one kind of token that brings its own key (RFC 9449 §4.2). No header check of evidence lets it, or its jwk, pass. */
const PROOF_TYP = 'dpop+jwt'

/**
 * Takes a token apart. Refuses: token_too_large, token_not_compact, base64url_not_canonical, header_too_large, utf8_invalid,
 * json_*, header_member_forbidden, header_member_invalid.
 */
export const parseCompactJws = (token: string, decode: DecodeBase64url = decodeBase64url): Result<UnverifiedJws> => {
  if (token.length > LIMITS.tokenBytesMax) return refuse('token_too_large', { chars: token.length })
  // Two searches and a third that must fail: a flood of dots costs one look, not an array of a million parts (row 34).
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 1 || second < first + 2 || second === token.length - 1 || token.includes('.', second + 1))
    return refuse('token_not_compact')
  if ((first >> 2) * 3 > LIMITS.joseHeaderBytesMax) return refuse('header_too_large', { chars: first })

  const signature = decode(token.slice(second + 1))
  if (signature === null) return refuse('base64url_not_canonical', { part: 'signature' })
  const joseHeader = headerOf(token.slice(0, first), decode)
  if (!joseHeader.ok) return joseHeader
  const claims = readPart(token.slice(first + 1, second), 'payload', decode)
  if (!claims.ok) return claims
  return ok({ header: joseHeader.value, claims: claims.value, signingInput: token.slice(0, second), signature })
}

/**
 * Headers that were read lately: all tokens of an issuer under one key have the same. Reading is pure, so whoever fills it
 * changes no verdict. Those that bring a key of their own, one for each client, are not worth keeping.
 */
const lately = new Map<string, Result<JoseHeader>>()
const LATELY_MAX = 64

const headerOf = (encoded: string, decode: DecodeBase64url): Result<JoseHeader> => {
  const known = lately.get(encoded)
  if (known !== undefined) return known
  const part = readPart(encoded, 'header', decode)
  if (!part.ok) return part
  const header = readHeader(part.value)
  const bytes = decode(encoded)
  if (header.ok && header.value.jwk === null && bytes !== null) {
    if (lately.size >= LATELY_MAX) lately.clear()
    // Encoded anew, which gives the same text: `encoded` is a slice, and an engine would keep the whole token for it.
    lately.set(encodeBase64url(bytes), header)
  }
  return header
}

const readPart = (encoded: string, part: 'header' | 'payload', decode: DecodeBase64url): Result<JsonObject> => {
  const bytes = decode(encoded)
  if (bytes === null) return refuse('base64url_not_canonical', { part })
  if (part === 'header' && bytes.length > LIMITS.joseHeaderBytesMax)
    return refuse('header_too_large', { bytes: bytes.length })
  const text = decodeUtf8(bytes)
  if (text === null) return refuse('utf8_invalid', { part })
  const json = parseStrictJson(text)
  if (!json.ok) return refuse(json.refusal.kind, { ...json.refusal.detail, part })
  return isJsonObject(json.value) ? ok(json.value) : refuse('json_not_object', { part })
}

const readHeader = (header: JsonObject): Result<JoseHeader> => {
  const members = Object.keys(header)
  for (const member of members) {
    if (DANGEROUS_MEMBERS.has(member) && !(member === 'jwk' && header['typ'] === PROOF_TYP))
      return refuse('header_member_forbidden', { member })
  }
  const { alg, kid, typ, jwk } = header
  if (typeof alg !== 'string' || alg === '') return refuse('header_member_invalid', { member: 'alg' })
  if (typ !== undefined && typeof typ !== 'string') return refuse('header_member_invalid', { member: 'typ' })
  if (kid !== undefined && !isKid(kid)) return refuse('header_member_invalid', { member: 'kid' })
  if (jwk !== undefined && !isJsonObject(jwk)) return refuse('header_member_invalid', { member: 'jwk' })
  return ok({ alg, kid: kid ?? null, typ: typ ?? null, jwk: jwk ?? null, members })
}

/** Whether a value can be a key id: a string of 1-256 UTF-8 bytes (issuers.md §0.2). */
export const isKid = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && utf8Length(value) <= LIMITS.kidBytesMax

export type HeaderPolicy = {
  /** The issuer's own list: the algorithm is chosen by configuration, the token only says which of it was used. */
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Accepted besides absent and "JWT". */
  readonly typ: readonly string[]
  /** Tolerated, and ignored, besides alg, kid, typ, x5t, x5t#S256. */
  readonly headerMembers: readonly string[]
}

const KNOWN_MEMBERS: ReadonlySet<string> = new Set(['alg', 'kid', 'typ', 'x5t', 'x5t#S256'])

/**
 * Judges a header by what the issuer registered (issuers.md §0.1-0.2). Refuses: header_member_forbidden, alg_not_allowed,
 * typ_not_accepted (our own at+jwt, a SET, a DPoP proof: row 68), kid_missing (a key is never guessed: row 8).
 */
export const checkJoseHeader = (
  { header }: Pick<UnverifiedJws, 'header'>,
  policy: HeaderPolicy,
): Result<{ readonly alg: SignatureAlgorithm; readonly kid: string }> => {
  for (const member of header.members) {
    if (DANGEROUS_MEMBERS.has(member) || !(KNOWN_MEMBERS.has(member) || policy.headerMembers.includes(member))) {
      return refuse('header_member_forbidden', { member: member.slice(0, 64) })
    }
  }
  const alg = policy.algorithms.find((allowed) => allowed === header.alg)
  if (alg === undefined) return refuse('alg_not_allowed', { alg: header.alg.slice(0, 64) })
  if (header.typ !== null && !isAcceptedTyp(header.typ, policy.typ)) {
    return refuse('typ_not_accepted', { typ: header.typ.slice(0, 64) })
  }
  return header.kid === null ? refuse('kid_missing') : ok({ alg, kid: header.kid })
}

/** RFC 7515 §4.1.9: media types, compared without case, `application/` understood where there is no slash. */
const isAcceptedTyp = (typ: string, accepted: readonly string[]): boolean => {
  if (typ === 'JWT') return true
  const name = mediaType(typ)
  return name === 'application/jwt' || accepted.some((other) => mediaType(other) === name)
}

/** Whether a header names this type itself: what is left out, or says JWT, does not. */
export const isOfType = ({ typ }: Pick<JoseHeader, 'typ'>, name: string): boolean =>
  typ !== null && mediaType(typ) === mediaType(name)

// ASCII lower case only: toLowerCase() maps the Kelvin sign to k and would accept a homoglyph (row 38).
const mediaType = (typ: string): string => {
  const lower = typ.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return lower.includes('/') ? lower : `application/${lower}`
}
