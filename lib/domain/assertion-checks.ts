// The claims every issuer must carry, judged against one registered issuer (issuers.md §0.3-0.6, attacks rows 39-49). Pure;
// the time is an argument.
import { type JsonObject, claimAt } from './claims.ts'
import { utf8Length } from './json.ts'
import { LIMITS } from './limits.ts'
import { refuse } from './refusal.ts'
import { type Result, ok } from './result.ts'

export type ClaimRules = {
  readonly audience: string
  readonly nowSeconds: number
  readonly maxAgeSeconds: number
  readonly lifetimeSecondsMax: number | null
  /** JWT-SVID: without iat, the latest time it can have been signed at is taken from exp. */
  readonly iatOptional: boolean
  /** Evidence issued before this is refused: set by recovery of a store that lost time. */
  readonly issuedFloorSeconds?: number
}

export type CheckedClaims = {
  readonly sub: string
  readonly jti: string | null
  readonly iat: number
  readonly exp: number
  readonly nbf: number | null
  /** RFC 7638 thumbprint of the key the evidence commits to (aud#jkt=… or cnf.jkt), or null. */
  readonly keyThumbprint: string | null
}

export const checkClaims = (claims: JsonObject, rules: ClaimRules): Result<CheckedClaims> => {
  const { sub, jti = null } = claims
  if (typeof sub !== 'string' || sub === '') return refuse('subject_invalid')
  if ('jti' in claims && (typeof jti !== 'string' || jti === '' || utf8Length(jti) > LIMITS.jtiBytesMax)) return refuse('jti_invalid')
  const committed = checkAudience(claims, rules.audience)
  if (!committed.ok) return committed
  const times = checkTimes(claims, rules)
  if (!times.ok) return times
  return ok({ sub, jti: jti as string | null, keyThumbprint: committed.value, ...times.value })
}

const COMMITMENT = '#jkt='
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/

/** One string, or an array of one (rows 40, 41). The value may commit to a key: `<audience>#jkt=<thumbprint>` (issuers.md §0.12). */
const checkAudience = (claims: JsonObject, audience: string): Result<string | null> => {
  const { aud } = claims
  const value = Array.isArray(aud) && aud.length === 1 ? (aud[0] as unknown) : aud
  if (typeof value !== 'string' || value === '') return refuse('audience_invalid')
  const inAudience = value.startsWith(audience + COMMITMENT) ? value.slice(audience.length + COMMITMENT.length) : null
  if (value !== audience && !(inAudience !== null && THUMBPRINT.test(inAudience))) return refuse('audience_mismatch', { expected: audience, actual: value.slice(0, 256) })
  const inCnf = claimAt(claims, ['cnf', 'jkt'])
  if (inCnf !== null && !(typeof inCnf === 'string' && THUMBPRINT.test(inCnf))) return refuse('claim_invalid', { claim: 'cnf.jkt' })
  if (inAudience !== null && inCnf !== null && inAudience !== inCnf) return refuse('claim_invalid', { claim: 'cnf.jkt' })
  return ok(inAudience ?? inCnf)
}

type Times = Pick<CheckedClaims, 'iat' | 'exp' | 'nbf'>

const checkTimes = (claims: JsonObject, rules: ClaimRules): Result<Times> => {
  const exp = timeOf(claims['exp'])
  const nbf = 'nbf' in claims ? timeOf(claims['nbf']) : null
  if (exp === undefined) return refuse('time_invalid', { claim: 'exp' })
  if (nbf === undefined) return refuse('time_invalid', { claim: 'nbf' })
  const stated = 'iat' in claims || !rules.iatOptional ? timeOf(claims['iat']) : Math.max(0, exp - rules.maxAgeSeconds)
  if (stated === undefined) return refuse('time_invalid', { claim: 'iat' })
  const iat = stated
  const now = rules.nowSeconds
  const detail = { now, iat, exp }
  if (iat > now + LIMITS.leewaySeconds || (nbf !== null && nbf > now + LIMITS.leewaySeconds)) return refuse('not_yet_valid', { ...detail, nbf })
  if (exp <= now - LIMITS.leewaySeconds) return refuse('expired', detail)
  if (exp <= iat) return refuse('times_inverted', detail)
  if (now - iat > rules.maxAgeSeconds + LIMITS.leewaySeconds) return refuse('too_old', { ...detail, maxAgeSeconds: rules.maxAgeSeconds })
  if (rules.lifetimeSecondsMax !== null && exp - iat > rules.lifetimeSecondsMax) return refuse('lifetime_too_long', { ...detail, lifetimeSecondsMax: rules.lifetimeSecondsMax })
  if (rules.issuedFloorSeconds !== undefined && iat < rules.issuedFloorSeconds) return refuse('issued_before_floor', { iat, floor: rules.issuedFloorSeconds })
  return ok({ iat, exp, nbf })
}

/** A NumericDate we believe: an integer from 0 to the year 9999. Milliseconds, floats, strings and 1e300 are not (row 45). */
const timeOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LIMITS.epochSecondsMax ? value : undefined

/**
 * What makes evidence one piece of evidence (issuers.md §0.6): iss and jti, or iss and the signing input. Never the whole
 * token: signatures are malleable (row 13). The leading word keeps the two forms apart.
 */
export const replayKeyInput = (iss: string, jti: string | null, signingInput: string): string =>
  jti === null ? `input\0${iss}\0${signingInput}` : `jti\0${iss}\0${jti}`
