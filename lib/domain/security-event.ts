// A security event token (SET: RFC 8417 as SSF 1.0 profiles it), read: what happened and to whom. Reading comes after the
// signature verified. CAEP 1.0, RISC 1.0 and the two events of the stream itself are known; of any other only that it is. Pure.
import { isJsonObject, type JsonObject, type JsonValue } from './claims.ts'
import { LIMITS } from './limits.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import { utf8Length } from './utf8.ts'

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/'

/**
 * Events a tenant document can map, by their short names. `bad`: whether one with this payload is bad news; null: the payload
 * does not say what it must, so nobody can tell. What is good news (a device that complies again) revokes nothing.
 */
export const SECURITY_EVENTS = {
  'session-revoked': { uri: `${CAEP}session-revoked`, bad: () => true },
  'credential-change': {
    uri: `${CAEP}credential-change`,
    bad: ({ change_type: change }) => oneOf(change, { create: false, revoke: true, update: true, delete: true }),
  },
  'token-claims-change': { uri: `${CAEP}token-claims-change`, bad: () => true },
  'assurance-level-change': {
    uri: `${CAEP}assurance-level-change`,
    // The direction is optional: what may have gone down is taken to have.
    bad: ({ change_direction: direction }) =>
      direction === undefined ? true : oneOf(direction, { increase: false, decrease: true }),
  },
  'device-compliance-change': {
    uri: `${CAEP}device-compliance-change`,
    bad: ({ current_status: status }) => oneOf(status, { compliant: false, 'not-compliant': true }),
  },
  'account-disabled': { uri: `${RISC}account-disabled`, bad: () => true },
  'credential-compromise': { uri: `${RISC}credential-compromise`, bad: () => true },
} as const satisfies Record<string, { uri: string; bad: (payload: JsonObject) => boolean | null }>

const oneOf = (value: JsonValue | undefined, meanings: Readonly<Record<string, boolean>>): boolean | null =>
  typeof value === 'string' && Object.hasOwn(meanings, value) ? (meanings[value] ?? null) : null

export type SecurityEventName = keyof typeof SECURITY_EVENTS

/** Events about the stream, not about anybody: acknowledged and recorded (SSF 1.0 §8.1). */
const STREAM_EVENTS: Readonly<Record<string, 'verification' | 'stream-updated'>> = {
  [`${SSF}verification`]: 'verification',
  [`${SSF}stream-updated`]: 'stream-updated',
}

const NAME_OF: ReadonlyMap<string, SecurityEventName> = new Map(
  (Object.keys(SECURITY_EVENTS) as SecurityEventName[]).map((name) => [SECURITY_EVENTS[name].uri, name]),
)

export type SecurityEvent = {
  readonly jti: string
  readonly iat: number
  readonly what:
    | {
        readonly kind: 'mappable'
        readonly name: SecurityEventName
        readonly isBad: boolean
        readonly subject: JsonObject
      }
    /** `isEnding`: the transmitter says that it will send no more for now. */
    | { readonly kind: 'stream'; readonly name: 'verification' | 'stream-updated'; readonly isEnding: boolean }
    | { readonly kind: 'unknown' }
}

export type SetPolicy = {
  /** Byte-exact `iss` and, alone, `aud`. */
  readonly issuer: string
  readonly audience: string
  readonly nowSeconds: number
  readonly maxAgeSeconds: number
}

/**
 * Judges the claims of a SET. Refuses: issuer_unknown, audience_invalid, audience_mismatch, jti_invalid, time_invalid,
 * not_yet_valid, too_old, event_invalid. RFC 8417 §2.2, SSF 1.0 §4.1, CAEP Interop §2.8.
 */
export const readSecurityEvent = (claims: JsonObject, policy: SetPolicy): Result<SecurityEvent> => {
  if (claims['iss'] !== policy.issuer) return refuse('issuer_unknown')
  const aud = soleOf(claims['aud'])
  if (aud === null) return refuse('audience_invalid')
  if (aud !== policy.audience) return refuse('audience_mismatch', { aud: aud.slice(0, 256) })
  // A token with these two could pass for an ID or access token somewhere, and one of those for a SET here (RFC 8417 §4.5).
  for (const claim of ['sub', 'exp']) if (claims[claim] !== undefined) return refuse('event_invalid', { claim })
  const { jti, iat } = claims
  if (typeof jti !== 'string' || jti === '' || utf8Length(jti) > LIMITS.jtiBytesMax) return refuse('jti_invalid')
  if (typeof iat !== 'number' || !Number.isInteger(iat) || iat < 0 || iat > LIMITS.epochSecondsMax)
    return refuse('time_invalid', { claim: 'iat' })
  const detail = { iat, now: policy.nowSeconds }
  if (iat > policy.nowSeconds + LIMITS.leewaySeconds) return refuse('not_yet_valid', detail)
  // Older than what is remembered of events: it could be one that was acted on, and whose block was lifted since.
  if (policy.nowSeconds - iat > policy.maxAgeSeconds) return refuse('too_old', detail)
  const what = readWhat(claims)
  return what.ok ? ok({ jti, iat, what: what.value }) : what
}

const soleOf = (value: JsonValue | undefined): string | null => {
  const sole = Array.isArray(value) && value.length === 1 ? (value[0] as JsonValue) : value
  return typeof sole === 'string' && sole !== '' ? sole : null
}

const readWhat = (claims: JsonObject): Result<SecurityEvent['what']> => {
  const { events, sub_id: subject } = claims
  const entries = isJsonObject(events) ? Object.entries(events) : []
  const [uri, payload] = entries[0] ?? []
  if (uri === undefined || entries.length > 1 || !isJsonObject(payload))
    return refuse('event_invalid', { claim: 'events' })
  if (!isJsonObject(subject) || typeof subject['format'] !== 'string')
    return refuse('event_invalid', { claim: 'sub_id' })
  const ofStream = STREAM_EVENTS[uri]
  if (ofStream !== undefined) {
    const isEnding = ofStream === 'stream-updated' && payload['status'] !== 'enabled'
    return ok({ kind: 'stream', name: ofStream, isEnding })
  }
  const name = NAME_OF.get(uri)
  if (name === undefined) return ok({ kind: 'unknown' })
  const isBad: boolean | null = SECURITY_EVENTS[name].bad(payload)
  return isBad === null ? refuse('event_invalid', { claim: name }) : ok({ kind: 'mappable', name, isBad, subject })
}
