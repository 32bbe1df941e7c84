// An access token of ours as it comes back to us: shape and claims, judged more strictly than any issuer's (RFC 9068 §4). What
// it may do here is in its scope, and only when the tenant's issuer URL is its sole audience (design §5). Pure.
import { isJsonObject, type JsonValue, type UnverifiedClaims } from './claims.ts'
import type { UnverifiedJws } from './compact-jws.ts'
import { LIMITS } from './limits.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'

/** `introspect` tokens, `revoke` single credentials, `audit:read`, `admin`: predicates, decisions, simulation. */
export const OWN_SCOPES = ['introspect', 'revoke', 'audit:read', 'admin'] as const
/** `receive:<name>`: to poll as the receiver of that name, and no other, for whoever acknowledges a SET takes it from the rest. */
export type OwnScope = (typeof OWN_SCOPES)[number] | `receive:${string}`

/** What tokens and the feed are signed with. */
export type TokenAlgorithm = 'ES256' | 'RS256'

export type OwnToken = {
  readonly alg: TokenAlgorithm
  readonly kid: string
  readonly jti: string
  readonly subject: string
  readonly audience: string
  readonly scope: readonly string[]
  readonly iat: number
  readonly exp: number
  /** Thumbprint of the DPoP key it is bound to. */
  readonly jkt: string | null
  /** Audiences it may ask about; null: every one of the tenant. */
  readonly introspects: readonly string[] | null
  /** Its revocation handles. */
  readonly handles: readonly string[]
  readonly claims: UnverifiedClaims
}

const HEADER_MEMBERS: ReadonlySet<string> = new Set(['typ', 'alg', 'kid'])
const TYPES: ReadonlySet<string> = new Set(['at+jwt', 'application/at+jwt'])
const ALGORITHMS: readonly TokenAlgorithm[] = ['ES256', 'RS256']

/**
 * What an unverified token says, if we could have said it. Refuses: header_member_forbidden, typ_not_accepted, alg_not_allowed,
 * kid_missing, issuer_unknown, subject_invalid, jti_invalid, audience_invalid, time_invalid, times_inverted, claim_invalid.
 */
export const readOwnToken = ({ header, claims }: UnverifiedJws, issuerUrl: string): Result<OwnToken> => {
  if (header.members.some((member) => !HEADER_MEMBERS.has(member))) return refuse('header_member_forbidden')
  if (header.typ === null || !TYPES.has(header.typ)) return refuse('typ_not_accepted')
  const alg = ALGORITHMS.find((ours) => ours === header.alg)
  if (alg === undefined) return refuse('alg_not_allowed')
  if (header.kid === null) return refuse('kid_missing')
  const { iss, sub, client_id: client, aud, jti, iat, nbf, exp, scope, cnf, introspects, rh } = claims
  if (iss !== issuerUrl) return refuse('issuer_unknown')
  if (!isText(sub) || client !== sub) return refuse('subject_invalid')
  if (!isText(jti)) return refuse('jti_invalid')
  // One string: a token of ours is for one audience, never for one more.
  if (!isText(aud)) return refuse('audience_invalid')
  if (!isTime(iat) || !isTime(exp) || !isTime(nbf)) return refuse('time_invalid')
  if (exp <= iat) return refuse('times_inverted')
  const jkt = thumbprintOf(cnf)
  if (typeof scope !== 'string' || jkt === undefined) return refuse('claim_invalid')
  if (!isTexts(rh) || (introspects !== undefined && !isTexts(introspects))) return refuse('claim_invalid')
  const said = { alg, kid: header.kid, jti, subject: sub, audience: aud, iat, exp, jkt, handles: rh, claims }
  return ok({ ...said, scope: scope === '' ? [] : scope.split(' '), introspects: introspects ?? null })
}

/** Refuses: expired, not_yet_valid. Without leeway at the end: what has expired by our own clock is over. */
export const checkOwnTimes = ({ iat, exp }: OwnToken, nowSeconds: number): Result<null> => {
  if (nowSeconds >= exp) return refuse('expired', { exp, now: nowSeconds })
  // nbf is iat. Another process of ours may be ahead.
  return iat > nowSeconds + LIMITS.leewaySeconds ? refuse('not_yet_valid', { iat, now: nowSeconds }) : ok(null)
}

/** Whether it authenticates a caller of ours: any other audience has a token that was meant for it, and is no caller with it. */
export const isForUs = ({ audience }: OwnToken, issuerUrl: string): boolean => audience === issuerUrl

/** Whether the holder may do here what the scope is for. */
export const hasOwnScope = (token: OwnToken, wanted: OwnScope, issuerUrl: string): boolean =>
  isForUs(token, issuerUrl) && token.scope.includes(wanted)

const isText = (value: JsonValue | undefined): value is string => typeof value === 'string' && value !== ''
const isTexts = (value: JsonValue | undefined): value is string[] => Array.isArray(value) && value.every(isText)
const isTime = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LIMITS.epochSecondsMax

/** null: not bound; undefined: bound in a way that is none of ours. */
const thumbprintOf = (cnf: JsonValue | undefined): string | null | undefined => {
  if (cnf === undefined) return null
  if (!isJsonObject(cnf) || Object.keys(cnf).length !== 1) return undefined
  const { jkt } = cnf
  return isText(jkt) ? jkt : undefined
}
