// What the claims of every assertion must say, whoever signed it (issuers.md §0.3-0.6, 0.12): who, for whom, when, once. Run
// only after the signature verified. Types are checked, never converted; a missing claim never passes for a value. Pure.
import { isJsonObject, type JsonObject, type JsonValue } from './claims.ts'
import { LIMITS } from './limits.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import { utf8Length } from './utf8.ts'

export type ClaimPolicy = {
  /** Byte-exact `iss`. */
  readonly issuer: string
  /** Byte-exact `aud`. */
  readonly audience: string
  readonly nowSeconds: number
  readonly maxAgeSeconds: number
  /** Longest exp - iat; null: no cap. */
  readonly lifetimeSecondsMax: number | null
  /** JWT-SVID: a missing iat is read as exp - maxAgeSeconds. */
  readonly iatOptional: boolean
  /** Set by recovery: what was issued before may have been redeemed in records that were lost. */
  readonly issuedFloorSeconds?: number | undefined
}

export type CheckedClaims = {
  readonly sub: string
  readonly jti: string | null
  readonly iat: number
  readonly exp: number
  readonly nbf: number | null
  /** Thumbprint of the key the evidence commits to, by `aud` or by `cnf.jkt`; null: bearer. */
  readonly keyThumbprint: string | null
}

/**
 * Refuses: issuer_missing, issuer_unknown, subject_invalid, jti_invalid, audience_invalid, audience_mismatch, claim_invalid
 * (cnf), time_invalid, times_inverted, expired, not_yet_valid, lifetime_too_long, too_old, issued_before_floor.
 */
export const checkClaims = (claims: JsonObject, policy: ClaimPolicy): Result<CheckedClaims> => {
  const { sub, jti } = claims
  const iss = issuerOf(claims)
  if (iss === null) return refuse('issuer_missing')
  if (iss !== policy.issuer) return refuse('issuer_unknown')
  if (typeof sub !== 'string' || sub === '') return refuse('subject_invalid')
  if (jti !== undefined && (typeof jti !== 'string' || jti === '' || utf8Length(jti) > LIMITS.jtiBytesMax))
    return refuse('jti_invalid')
  const keyThumbprint = checkAudience(claims, policy.audience)
  if (!keyThumbprint.ok) return keyThumbprint
  const times = checkTimes(claims, policy)
  if (!times.ok) return times
  return ok({ sub, jti: jti ?? null, ...times.value, keyThumbprint: keyThumbprint.value })
}

const TRUST_DOMAIN_OF_SUB = /^spiffe:\/\/[a-z0-9._-]{1,255}(?=\/)/

/**
 * What evidence is looked up by: `iss`, or null. A JWT-SVID need not have one (JWT-SVID §3; SPIRE writes none unless told to):
 * then it is the trust domain of its `sub`, whose bundle alone may vouch for it, and which is registered as its issuer.
 */
export const issuerOf = ({ iss, sub }: JsonObject): string | null => {
  if (iss !== undefined) return typeof iss === 'string' && iss !== '' ? iss : null
  return typeof sub === 'string' ? (TRUST_DOMAIN_OF_SUB.exec(sub)?.[0] ?? null) : null
}

const THUMBPRINT = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** Whether a text is a SHA-256 as canonical base64url, as an RFC 7638 thumbprint is. */
export const isThumbprint = (value: unknown): value is string => typeof value === 'string' && THUMBPRINT.test(value)

const KEY_COMMITMENT = '#jkt='

/** The audience, exactly and alone: a token also meant for another party can be replayed by that party (row 40). */
const checkAudience = (claims: JsonObject, audience: string): Result<string | null> => {
  const aud = soleString(claims['aud'])
  if (aud === null) return refuse('audience_invalid')
  let committed: string | null = null
  if (aud !== audience) {
    const thumbprint = aud.startsWith(audience + KEY_COMMITMENT)
      ? aud.slice(audience.length + KEY_COMMITMENT.length)
      : null
    if (!isThumbprint(thumbprint)) return refuse('audience_mismatch', { aud: aud.slice(0, 256) })
    committed = thumbprint
  }
  const confirmed = confirmedKey(claims['cnf'])
  if (!confirmed.ok) return confirmed
  if (committed !== null && confirmed.value !== null && committed !== confirmed.value) {
    return refuse('claim_invalid', { claim: 'cnf.jkt', problem: 'not the key aud commits to' })
  }
  return ok(committed ?? confirmed.value)
}

const soleString = (value: JsonValue | undefined): string | null => {
  const sole = Array.isArray(value) && value.length === 1 ? (value[0] as JsonValue) : value
  return typeof sole === 'string' && sole !== '' ? sole : null
}

/** A confirmation we cannot check (RFC 7800 has others) is refused: ignoring it would make a bound token a bearer token. */
const confirmedKey = (cnf: JsonValue | undefined): Result<string | null> => {
  if (cnf === undefined) return ok(null)
  const jkt = isJsonObject(cnf) ? cnf['jkt'] : undefined
  return isThumbprint(jkt) ? ok(jkt) : refuse('claim_invalid', { claim: 'cnf.jkt' })
}

/** A NumericDate of ours: a whole number of seconds from 1970 to 9999 (issuers.md §0.4). */
const isEpochSeconds = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LIMITS.epochSecondsMax

/** Boundaries: valid while exp > now - leeway, iat and nbf <= now + leeway, now - iat <= maxAge. nbf never is an issue time. */
const checkTimes = (claims: JsonObject, policy: ClaimPolicy): Result<Pick<CheckedClaims, 'iat' | 'exp' | 'nbf'>> => {
  const { exp, iat: stated, nbf } = claims
  const { nowSeconds, maxAgeSeconds } = policy
  if (!isEpochSeconds(exp)) return refuse('time_invalid', { claim: 'exp' })
  if (nbf !== undefined && !isEpochSeconds(nbf)) return refuse('time_invalid', { claim: 'nbf' })
  const isStated = stated !== undefined || !policy.iatOptional
  const iat = isStated ? stated : exp - maxAgeSeconds
  if (isStated && !isEpochSeconds(iat)) return refuse('time_invalid', { claim: 'iat' })
  return judgeTimes({ iat: iat as number, exp, nbf: nbf ?? null }, isStated, policy, nowSeconds + LIMITS.leewaySeconds)
}

const judgeTimes = (
  times: Pick<CheckedClaims, 'iat' | 'exp' | 'nbf'>,
  isStated: boolean,
  { nowSeconds, maxAgeSeconds, lifetimeSecondsMax, issuedFloorSeconds }: ClaimPolicy,
  latestSeconds: number,
): Result<Pick<CheckedClaims, 'iat' | 'exp' | 'nbf'>> => {
  const { iat, exp, nbf } = times
  const detail = { iat, exp, nbf, now: nowSeconds }
  if (exp <= iat) return refuse('times_inverted', detail)
  if (exp <= nowSeconds - LIMITS.leewaySeconds) return refuse('expired', detail)
  // An assumed iat in the future means that more than the maximum age is left: the issuer signs for longer than we accept.
  if (iat > latestSeconds) return refuse(isStated ? 'not_yet_valid' : 'lifetime_too_long', detail)
  if (nbf !== null && nbf > latestSeconds) return refuse('not_yet_valid', detail)
  if (lifetimeSecondsMax !== null && exp - iat > lifetimeSecondsMax)
    return refuse('lifetime_too_long', { ...detail, max: lifetimeSecondsMax })
  // An assumed iat reaches its maximum age when exp passes, and exp was judged above, with its leeway.
  if (isStated && nowSeconds - iat > maxAgeSeconds) return refuse('too_old', { ...detail, max: maxAgeSeconds })
  if (issuedFloorSeconds !== undefined && iat < issuedFloorSeconds)
    return refuse('issued_before_floor', { ...detail, floor: issuedFloorSeconds })
  return ok(times)
}

/**
 * What is hashed into the replay key (issuers.md §0.6): iss NUL jti, or iss NUL NUL signing input where there is no jti. No
 * iss or jti has a NUL in it (json.ts), and no jti is empty, so no two texts of the two forms are equal. The signature is
 * left out: whoever holds an ECDSA token can make a second valid signature for it (row 13).
 */
export const replayKeyInput = (iss: string, jti: string | null, signingInput: string): string =>
  jti === null ? `${iss}\0\0${signingInput}` : `${iss}\0${jti}`
