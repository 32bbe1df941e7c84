// Credentials: one Authentication event (3002/4) a grant record, an Authorize Session (3003/1) where scopes come with it, and
// an Authentication that failed where an outcome says that nothing was issued after all. Pure.
import type { JsonObject } from '../claims.ts'
import type { GrantRecord, NotIssued } from '../grant-record.ts'
import { REFUSALS } from '../refusal.ts'
import { type EventPlace, newEvent, type OcsfEvent, serviceOf, uidOf } from './event.ts'

const TYPES: Readonly<Record<GrantRecord['credential']['type'], string>> = {
  access_token: 'at+jwt',
  'aws-credentials': 'aws-credentials',
}

export const eventsOfGrant = (record: GrantRecord, place: EventPlace): OcsfEvent[] => {
  const { credential, decisionId } = record
  const granted = newEvent({
    classUid: 3002,
    activityId: 4,
    severityId: 1,
    outcome: 'success',
    code: 'granted',
    message: 'a credential was granted',
    uid: decisionId,
    tenant: record.tenant,
    atSeconds: record.atSeconds,
    correlation: record.traceId,
    detail: {
      auth_protocol_id: 6,
      auth_protocol: 'OAUTH 2.0',
      logon_type_id: 3,
      logon_type: 'Network',
      is_remote: true,
      user: identityOf(credential.sub),
      service: serviceOf(place),
      dst_endpoint: { svc_name: credential.aud },
      authentication_token: {
        uid: credential.jti,
        type_id: 99,
        type: TYPES[credential.type],
        created_time: credential.iat * 1000,
        expiration_time: credential.exp * 1000,
        is_renewable: false,
      },
      session: sessionOf(record, place),
      actor: actorOf(record, 'Granted'),
    },
    unmapped: factsOf(record),
  })
  if (credential.scope === '') return [granted]
  const authorized = newEvent({
    classUid: 3003,
    activityId: 1,
    severityId: 1,
    outcome: 'success',
    code: 'scope_granted',
    message: 'the credential carries scopes',
    uid: uidOf(decisionId, 'scope'),
    tenant: record.tenant,
    atSeconds: record.atSeconds,
    correlation: record.traceId,
    detail: {
      user: identityOf(credential.sub),
      privileges: credential.scope.split(' '),
      session: sessionOf(record, place),
      dst_endpoint: { svc_name: credential.aud },
      actor: actorOf(record, 'Granted'),
    },
    unmapped: { decision_id: decisionId },
  })
  return [granted, authorized]
}

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
      session: record === null ? { issuer: place.issuerUrl } : sessionOf(record, place),
    },
    unmapped: { decision_id: decisionId, reason: refusal.kind, reason_detail: refusal.detail ?? {} },
  })

const identityOf = (spiffeId: string): JsonObject => ({
  uid: spiffeId,
  name: spiffeId.slice(spiffeId.indexOf('/', 'spiffe://'.length) + 1),
  type_id: 4,
  type: 'Service',
})

const sessionOf = ({ credential }: GrantRecord, { issuerUrl }: EventPlace): JsonObject => ({
  uid: credential.jti,
  uid_alt: credential.session?.sourceIdentity ?? null,
  issuer: issuerUrl,
  created_time: credential.iat * 1000,
  expiration_time: credential.exp * 1000,
  is_remote: true,
})

/** The workload as its platform names it, and the rule that let it in. */
const actorOf = ({ evidence, grant, configVersion }: GrantRecord, decision: string): JsonObject => ({
  user: { uid: evidence.sub, name: evidence.sub, type_id: 4, type: 'Service' },
  idp: { name: evidence.issuerName, uid: evidence.issuer },
  authorizations: [{ decision, policy: { uid: grant, name: grant, version: String(configVersion), is_applied: true } }],
})

const factsOf = (record: GrantRecord): JsonObject => {
  const { evidence, credential } = record
  return {
    decision_id: record.decisionId,
    trace_id: record.traceId,
    grant: record.grant,
    config_version: record.configVersion,
    verdicts: record.verdicts,
    wid: record.wid as JsonObject,
    evidence: {
      issuer: evidence.issuer,
      issuer_name: evidence.issuerName,
      jti: evidence.jti,
      iat: evidence.iat,
      exp: evidence.exp,
      alg: evidence.alg,
      kid: evidence.kid,
      claims_sha256: evidence.claimsHash,
      replay_key: evidence.replayKey,
    },
    credential: {
      type: credential.type,
      audience: credential.aud,
      scope: credential.scope,
      alg: credential.alg,
      kid: credential.kid,
      fingerprint: credential.claimsHash,
      jkt: credential.jkt,
      ancestors: credential.ancestors,
      role: credential.session?.role ?? null,
    },
  }
}
