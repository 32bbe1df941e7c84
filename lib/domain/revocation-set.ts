// One change of a tenant's revocations as a security event token (RFC 8417, SSF 1.0, CAEP 1.0) for one receiver. The same change
// is always the same claims under the same jti, so that what is sent twice is noticed. Pure.
import type { JsonObject } from './claims.ts'
import { REVOCATION_KINDS, type Revocation, type Selector } from './revocation.ts'
import { SECURITY_EVENTS } from './security-event.ts'
import type { ReceiverRule } from './tenant-config.ts'

export const SET_TYPE = 'secevent+jwt'

/** Of a lifted block: CAEP has no event that takes one back, and session-revoked would say the contrary. */
const LIFTED_EVENT = 'urn:mintmark:event-type:revocation-lifted'

/** A revocation as one change left it: blocked, cut, cut to a later end, or lifted. */
export type RevocationChange = Selector &
  Pick<Revocation, 'form' | 'notBeforeSeconds'> & {
    /** Its place among the tenant's changes, from 1, without gaps: the `seq` of the feed. */
    readonly seq: number
    /** Id of the revocation. */
    readonly revocation: string
    readonly isLifted: boolean
    /** When it came to be so. */
    readonly atSeconds: number
  }

/** What SETs for a receiver have in `aud`: where they are sent, or where they are fetched. */
export const audienceOf = (receiver: ReceiverRule, issuerUrl: string): string =>
  receiver.type === 'webhook' ? receiver.url : pollUrl(issuerUrl, receiver.name)

export const pollUrl = (issuerUrl: string, receiver: string): string => `${issuerUrl}/receivers/${receiver}/poll`

/**
 * Names the change and not its number alone: after a store was restored from a backup the numbers come again for other
 * changes, which a receiver must not take for those it has. `sha256`: base64url.
 */
export const jtiOf = (change: RevocationChange, audience: string, sha256: (text: string) => string): string => {
  const { seq, revocation, notBeforeSeconds, isLifted } = change
  return `${seq}.${sha256([revocation, notBeforeSeconds, isLifted, audience].join('\0')).slice(0, 22)}`
}

const JTI = /^([1-9][0-9]{0,14})\.[A-Za-z0-9_-]{22}$/

/** The number of the change that a jti of ours names; null: it is none. Whether it is that change, only jtiOf says. */
export const seqOfJti = (jti: string): number | null => {
  const digits = JTI.exec(jti)?.[1]
  return digits === undefined ? null : Number(digits)
}

export const setHeader = (alg: string, kid: string): string => JSON.stringify({ typ: SET_TYPE, alg, kid })

export type SetPlace = {
  readonly tenant: string
  readonly issuerUrl: string
  readonly audience: string
  readonly jti: string
  /** The revocation handle: `rh` of the tokens it hits has it. */
  readonly handle: string
}

/** Without `sub` and `exp`, or it could pass for a token (RFC 8417 §4.5). `iat` is the time of the change. */
export const setClaims = (change: RevocationChange, { tenant, issuerUrl, audience, jti, handle }: SetPlace) => {
  const { kind, form, notBeforeSeconds, isLifted, atSeconds, revocation } = change
  const facts = {
    kind,
    form,
    handle,
    ...(notBeforeSeconds === null ? {} : { not_before: notBeforeSeconds }),
  }
  const event = isLifted
    ? { [LIFTED_EVENT]: { event_timestamp: atSeconds, revocation: facts } }
    : {
        [SECURITY_EVENTS['session-revoked'].uri]: {
          event_timestamp: atSeconds,
          initiating_entity: 'policy',
          // Constant: why it was revoked is for the tenant's operators.
          reason_admin: { en: `revoked: ${REVOCATION_KINDS[kind].says}` },
          revocation: facts,
        },
      }
  return {
    iss: issuerUrl,
    jti,
    iat: atSeconds,
    aud: audience,
    txn: revocation,
    sub_id: subjectOf(change, { tenant, issuerUrl, handle }),
    events: event,
  }
}

/** Subject identifiers (RFC 9493, SSF 1.0 §3). What has no form there is named by its handle, as in the feed. */
const subjectOf = (
  { kind, value }: Selector,
  { tenant, issuerUrl, handle }: Pick<SetPlace, 'tenant' | 'issuerUrl' | 'handle'>,
): JsonObject => {
  const ofTenant = { format: 'opaque', id: tenant }
  switch (kind) {
    case 'credential':
      return { format: 'jwt_id', iss: issuerUrl, jti: value }
    case 'subject':
      return { format: 'complex', application: { format: 'uri', uri: value }, tenant: ofTenant }
    case 'session':
      return { format: 'complex', session: { format: 'opaque', id: value }, tenant: ofTenant }
    case 'tenant':
      return { format: 'complex', tenant: ofTenant }
    default:
      return { format: 'opaque', id: handle }
  }
}

/** The registered codes (IANA "Security Event Token Error Codes"; RFC 8935 §2.4), and what SSF 1.0 adds. */
export const SET_ERROR_CODES = [
  'invalid_request',
  'invalid_key',
  'invalid_issuer',
  'invalid_audience',
  'authentication_failed',
  'access_denied',
  'invalid_state',
] as const

const NOT_REGISTERED = 'error_not_registered'

/** What a receiver may have said of one SET, as it is kept. Any other problem is of the way to it, and so of every SET. */
export const SET_REFUSALS: readonly string[] = [...SET_ERROR_CODES, NOT_REGISTERED]

/** A receiver's own error code, if it is a registered one: of any other text of a stranger nothing is kept. */
export const setErrorCode = (text: unknown): string => SET_ERROR_CODES.find((code) => code === text) ?? NOT_REGISTERED
