// The strict front: a compact JWS taken apart before any library sees it (RFC 7515 §7.1, RFC 8725 §3; issuers.md §0.1-0.3).
// Nothing here is verified; what comes out is unverified and says so. Pure.
import { decodeBase64url } from './base64url.ts'
import type { JsonObject } from './claims.ts'
import { parseStrictJson, utf8Length } from './json.ts'
import { LIMITS } from './limits.ts'
import type { SignatureAlgorithm } from './provider.ts'
import { refuse } from './refusal.ts'
import { type Result, ok } from './result.ts'

export type UnverifiedJws = {
  readonly header: JsonObject
  readonly claims: JsonObject
  /** ASCII `header.payload`, as it was signed. */
  readonly signingInput: string
  readonly signature: Uint8Array
}

const BASE64URL = /^[A-Za-z0-9_-]+$/

/** Refuses by size, then shape, then encoding, then JSON. Never splits or decodes what is too long or not three parts. */
export const parseCompactJws = (token: string): Result<UnverifiedJws> => {
  if (token.length > LIMITS.tokenBytesMax) return refuse('token_too_large', { length: token.length })
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  // A third dot would be a JWE or a flood of them; neither is looked at further (rows 20-24, 34).
  if (first <= 0 || second <= first + 1 || second === token.length - 1 || token.indexOf('.', second + 1) >= 0) return refuse('token_not_compact')
  if (first > (LIMITS.joseHeaderBytesMax * 4) / 3 + 4) return refuse('header_too_large', { length: first })
  const headerPart = token.slice(0, first)
  const payloadPart = token.slice(first + 1, second)
  const signaturePart = token.slice(second + 1)
  if (!BASE64URL.test(headerPart) || !BASE64URL.test(payloadPart) || !BASE64URL.test(signaturePart)) return refuse('base64url_not_canonical')
  const header = decodeObject(headerPart)
  if (!header.ok) return header
  const claims = decodeObject(payloadPart)
  if (!claims.ok) return claims
  const signature = decodeBase64url(signaturePart)
  if (signature === null) return refuse('base64url_not_canonical', { part: 'signature' })
  return ok({ header: header.value, claims: claims.value, signingInput: token.slice(0, second), signature })
}

// fatal: bytes that are not UTF-8 are refused, not replaced; ignoreBOM: a BOM stays visible, and JSON then refuses it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const decodeObject = (part: string): Result<JsonObject> => {
  const bytes = decodeBase64url(part)
  if (bytes === null) return refuse('base64url_not_canonical')
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return refuse('utf8_invalid')
  }
  const json = parseStrictJson(text)
  if (!json.ok) return json
  if (typeof json.value !== 'object' || json.value === null || Array.isArray(json.value)) return refuse('json_not_object')
  return ok(json.value as JsonObject)
}

/** Header members that say nothing to us and are tolerated from everyone (GitHub sends x5t; both are ignored). */
const TOLERATED: ReadonlySet<string> = new Set(['alg', 'kid', 'typ', 'x5t', 'x5t#S256'])

export type HeaderRules = {
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Accepted `typ` besides absent and JWT. */
  readonly typ: readonly string[]
  /** Tolerated members besides the common ones. */
  readonly headerMembers: readonly string[]
}

/**
 * The header against an issuer's configuration: an allow-list, so jwk, jku, x5u, x5c, crit, b64, zip and cty refuse the token
 * by being there. Refuses: header_member_forbidden, header_member_invalid, kid_missing, alg_not_allowed, typ_not_accepted.
 */
export const checkJoseHeader = ({ header }: Pick<UnverifiedJws, 'header'>, rules: HeaderRules): Result<{ readonly alg: SignatureAlgorithm; readonly kid: string }> => {
  for (const member in header) {
    if (!TOLERATED.has(member) && !rules.headerMembers.includes(member)) return refuse('header_member_forbidden', { member: member.slice(0, 64) })
  }
  const alg = header['alg']
  // Case-sensitive, and chosen by our configuration: "none", HS*, es256 and arrays are all simply not in the list.
  const allowed = rules.algorithms.find((algorithm) => algorithm === alg)
  if (allowed === undefined) return refuse('alg_not_allowed', { alg: typeof alg === 'string' ? alg.slice(0, 32) : typeof alg })
  const kid = header['kid']
  if (kid === undefined) return refuse('kid_missing')
  if (typeof kid !== 'string' || kid === '' || utf8Length(kid) > LIMITS.kidBytesMax) return refuse('header_member_invalid', { member: 'kid' })
  const typ = header['typ']
  if (typ !== undefined && !(typeof typ === 'string' && isAcceptedTyp(typ, rules.typ))) return refuse('typ_not_accepted', { typ: typeof typ === 'string' ? typ.slice(0, 64) : typeof typ })
  return ok({ alg: allowed, kid })
}

/** RFC 7515 §4.1.9: compared without case, with `application/` understood where there is no slash. */
const isAcceptedTyp = (typ: string, accepted: readonly string[]): boolean => {
  const name = mediaType(typ)
  return name === 'application/jwt' || accepted.some((other) => mediaType(other) === name)
}

// ASCII lower case only: toLowerCase() maps the Kelvin sign to k and would accept a homoglyph (row 38).
const mediaType = (typ: string): string => {
  const lower = typ.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return lower.includes('/') ? lower : `application/${lower}`
}

