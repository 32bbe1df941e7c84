// Credentials: one Authentication event (3002/4) a grant record, an Authorize Session (3003/1) where scopes come with it, and
// an Authentication that failed where an outcome says that nothing was issued after all. Pure.
import type { GrantEntry } from '../audit-entry.ts'
import type { JsonObject } from '../claims.ts'
import type { GrantRecord, NotIssued } from '../grant-record.ts'
import { isPlainText, type ShapeObject } from '../json-template.ts'
import { REFUSALS } from '../refusal.ts'
import { type EventPlace, endpointOf, newEvent, type OcsfEvent, serviceOf, uidOf } from './event.ts'
import { type EventDraft, eventTemplate } from './event-draft.ts'

const TYPES: Readonly<Record<GrantRecord['credential']['type'], string>> = {
  access_token: 'at+jwt',
  'aws-credentials': 'aws-credentials',
}

type Granted = { readonly record: GrantRecord; readonly place: EventPlace }

/** Of both events of a grant. */
const OF_GRANT = {
  severityId: 1,
  outcome: 'success',
  tenant: ({ record }: Granted) => record.tenant,
  time: ({ record }: Granted) => record.atSeconds * 1000,
  correlation: ({ record }: Granted) => record.traceId,
} as const

const USER: ShapeObject<Granted> = {
  uid: ({ record }) => record.credential.sub,
  name: ({ record }) => nameOfIdentity(record.credential.sub),
  type_id: 4,
  type: 'Service',
}

const SESSION: ShapeObject<Granted> = {
  uid: ({ record }) => record.credential.jti,
  uid_alt: ({ record }) => record.credential.session?.sourceIdentity ?? null,
  issuer: ({ place }) => place.issuerUrl,
  created_time: ({ record }) => record.credential.iat * 1000,
  expiration_time: ({ record }) => record.credential.exp * 1000,
  is_remote: true,
}

/** The workload as its platform names it, and the rule that let it in. */
const ACTOR: ShapeObject<Granted> = {
  user: {
    uid: ({ record }) => record.evidence.sub,
    name: ({ record }) => record.evidence.sub,
    type_id: 4,
    type: 'Service',
  },
  idp: { name: ({ record }) => record.evidence.issuerName, uid: ({ record }) => record.evidence.issuer },
  authorizations: [
    {
      decision: 'Granted',
      policy: {
        uid: ({ record }) => record.grant,
        name: ({ record }) => record.grant,
        version: ({ record }) => String(record.configVersion),
        is_applied: true,
      },
    },
  ],
}

const FACTS: ShapeObject<Granted> = {
  decision_id: ({ record }) => record.decisionId,
  trace_id: ({ record }) => record.traceId,
  grant: ({ record }) => record.grant,
  config_version: ({ record }) => record.configVersion,
  verdicts: ({ record }) => record.verdicts,
  wid: ({ record }) => record.wid as JsonObject,
  evidence: {
    issuer: ({ record }) => record.evidence.issuer,
    issuer_name: ({ record }) => record.evidence.issuerName,
    jti: ({ record }) => record.evidence.jti,
    iat: ({ record }) => record.evidence.iat,
    exp: ({ record }) => record.evidence.exp,
    alg: ({ record }) => record.evidence.alg,
    kid: ({ record }) => record.evidence.kid,
    claims_sha256: ({ record }) => record.evidence.claimsHash,
    replay_key: ({ record }) => record.evidence.replayKey,
  },
  credential: {
    type: ({ record }) => record.credential.type,
    audience: ({ record }) => record.credential.aud,
    scope: ({ record }) => record.credential.scope,
    alg: ({ record }) => record.credential.alg,
    kid: ({ record }) => record.credential.kid,
    fingerprint: ({ record }) => record.credential.claimsHash,
    jkt: ({ record }) => record.credential.jkt,
    ancestors: ({ record }) => record.credential.ancestors,
    role: ({ record }) => record.credential.session?.role ?? null,
  },
}

const GRANTED = eventTemplate<Granted>({
  ...OF_GRANT,
  classUid: 3002,
  activityId: 4,
  code: 'granted',
  message: 'a credential was granted',
  uid: ({ record }) => record.decisionId,
  detail: {
    auth_protocol_id: 6,
    auth_protocol: 'OAUTH 2.0',
    logon_type_id: 3,
    logon_type: 'Network',
    is_remote: true,
    user: USER,
    service: { name: 'mintmark', uid: ({ place }) => place.issuerUrl },
    src_endpoint: ({ record }) => cameFrom(record),
    dst_endpoint: { svc_name: ({ record }) => record.credential.aud },
    authentication_token: {
      uid: ({ record }) => record.credential.jti,
      type_id: 99,
      type: ({ record }) => TYPES[record.credential.type],
      created_time: ({ record }) => record.credential.iat * 1000,
      expiration_time: ({ record }) => record.credential.exp * 1000,
      is_renewable: false,
    },
    session: SESSION,
    actor: ACTOR,
  },
  unmapped: FACTS,
})

const SCOPE = 'scope'

const SCOPE_GRANTED = eventTemplate<Granted>({
  ...OF_GRANT,
  classUid: 3003,
  activityId: 1,
  code: 'scope_granted',
  message: 'the credential carries scopes',
  uid: ({ record }) => uidOf(record.decisionId, SCOPE),
  detail: {
    user: USER,
    privileges: ({ record }) => record.credential.scope.split(' '),
    session: SESSION,
    src_endpoint: ({ record }) => cameFrom(record),
    dst_endpoint: { svc_name: ({ record }) => record.credential.aud },
    actor: ACTOR,
  },
  unmapped: { decision_id: ({ record }) => record.decisionId },
})

/** `type_uid` of the two. */
export const GRANT_TYPES = { credential: 300204, scope: 300301 } as const

const OF_SCOPE = uidOf('', SCOPE)

/** Of which decision an event is that has this id, if it is one of a grant. */
export const decisionIdOf = (uid: string): string => (uid.endsWith(OF_SCOPE) ? uid.slice(0, -OF_SCOPE.length) : uid)

/** The credential, and the scopes it carries. */
const templatesOf = ({ credential }: GrantRecord) => (credential.scope === '' ? [GRANTED] : [GRANTED, SCOPE_GRANTED])

export const eventsOfGrant = (record: GrantRecord, place: EventPlace): OcsfEvent[] =>
  templatesOf(record).map((template) => template.event({ record, place }))

/** The same events, made when their place in the log is known: almost all of a log is these. */
export const draftsOfGrant = ({ record, isPlain = false }: GrantEntry, place: EventPlace): EventDraft[] =>
  templatesOf(record).map((template) => template.draft({ record, place }, isPlain && isPlainText(place.issuerUrl)))

/** The record may be gone by then: the outcome names it, and with it the credential. */
export const eventOfNotIssued = (
  { decisionId, tenant, atSeconds, refusal }: NotIssued,
  record: GrantRecord | null,
  place: EventPlace,
): OcsfEvent =>
  newEvent({
    classUid: 3002,
    activityId: 4,
    severityId: 2,
    outcome: 'failure',
    code: 'not_issued',
    message: 'the credential was not issued after all',
    uid: uidOf(decisionId, 'not_issued'),
    tenant,
    atSeconds,
    correlation: record?.traceId ?? decisionId,
    detail: {
      status_detail: REFUSALS[refusal.kind].says,
      auth_protocol_id: 6,
      auth_protocol: 'OAUTH 2.0',
      is_remote: true,
      user: record === null ? { name: 'unknown', type_id: 0, type: 'Unknown' } : identityOf(record.credential.sub),
      service: serviceOf(place),
      src_endpoint: record === null ? null : cameFrom(record),
      session: record === null ? { issuer: place.issuerUrl } : sessionOf(record, place),
    },
    unmapped: { decision_id: decisionId, reason: refusal.kind, reason_detail: refusal.detail ?? {} },
  })

const cameFrom = ({ source }: GrantRecord): JsonObject | null => (source === undefined ? null : endpointOf(source))

const identityOf = (spiffeId: string): JsonObject => ({
  uid: spiffeId,
  name: nameOfIdentity(spiffeId),
  type_id: 4,
  type: 'Service',
})

/** Its path. */
const nameOfIdentity = (spiffeId: string): string => spiffeId.slice(spiffeId.indexOf('/', 'spiffe://'.length) + 1)

const sessionOf = ({ credential }: GrantRecord, { issuerUrl }: EventPlace): JsonObject => ({
  uid: credential.jti,
  uid_alt: credential.session?.sourceIdentity ?? null,
  issuer: issuerUrl,
  created_time: credential.iat * 1000,
  expiration_time: credential.exp * 1000,
  is_remote: true,
})
