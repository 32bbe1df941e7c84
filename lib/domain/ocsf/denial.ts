// Refusals: one API Activity event (6003/1) a denial or count of denials, and a Detection Finding (2004/1) beside it where the
// evidence was used before or was made by somebody else. Pure.
import type { RollUpPart } from '../audit-entry.ts'
import type { JsonObject } from '../claims.ts'
import type { Denial } from '../grant-record.ts'
import { type Answer, REFUSALS, type RefusalKind } from '../refusal.ts'
import { type EventPlace, endpointOf, newEvent, type OcsfEvent, serviceOf, uidOf } from './event.ts'

const OPERATION = 'POST /token'
/** HTTP status and severity of what the caller was told. */
const ANSWERS: Readonly<Record<Answer, readonly [status: number, severity: 2 | 3]>> = {
  request: [400, 2],
  evidence: [400, 3],
  target: [400, 3],
  scope: [400, 3],
  grant_type: [400, 2],
  dpop: [400, 3],
  caller: [401, 3],
  rights: [403, 3],
  limit: [429, 2],
  unavailable: [503, 3],
}

type Finding = { readonly type: 'replay' | 'forgery'; readonly title: string }
const FINDINGS: Readonly<Partial<Record<RefusalKind, Finding>>> = {
  replayed: { type: 'replay', title: 'evidence was presented again after it was redeemed' },
  signature_invalid: { type: 'forgery', title: 'evidence has a signature that is not of its issuer' },
  issuer_is_own: { type: 'forgery', title: 'a token of ours was presented as evidence of a platform' },
}

export const eventsOfDenial = (denial: Denial, place: EventPlace): OcsfEvent[] => {
  const { refusal, decisionId, tenant, atSeconds, traceId: correlation } = denial
  const denied = newEvent({
    ...outcomeOf(refusal.kind),
    message: 'an exchange was denied',
    uid: decisionId,
    tenant,
    atSeconds,
    correlation,
    detail: {
      ...requestOf(refusal.kind, decisionId, place),
      actor: { user: subjectOf(denial), authorizations: [authorizationOf(denial)] },
      resources: denial.target?.audience ? [{ uid: denial.target.audience, type: 'audience' }] : null,
      src_endpoint: endpointOf(denial.source),
    },
    unmapped: factsOf(denial),
  })
  const finding = FINDINGS[refusal.kind]
  return finding === undefined ? [denied] : [denied, findingOf(denial, finding)]
}

/** An exact count: OCSF's own `count`, over the minute it was counted in. */
export const eventOfRollUp = ({ id, tenant, minute, kind, source, count, unlisted }: RollUpPart, place: EventPlace) =>
  newEvent({
    ...outcomeOf(kind as RefusalKind),
    message: 'exchanges were denied, beyond those recorded one by one',
    uid: id,
    tenant,
    // Of what is counted together the time is that of its beginning.
    atSeconds: minute * 60,
    correlation: id,
    detail: {
      ...requestOf(kind as RefusalKind, id, place),
      count,
      start_time: minute * 60_000,
      end_time: minute * 60_000 + 59_999,
      actor: { user: UNKNOWN },
      src_endpoint: endpointOf(source),
    },
    unmapped: { rolled_up: true, minute, reason: kind, source, count, unlisted },
  })

const outcomeOf = (kind: RefusalKind) => ({
  classUid: 6003 as const,
  activityId: 1,
  severityId: ANSWERS[REFUSALS[kind].answer][1],
  outcome: 'failure' as const,
  code: kind,
})

const requestOf = (kind: RefusalKind, requestId: string, place: EventPlace): JsonObject => {
  const { answer, says } = REFUSALS[kind]
  const [code] = ANSWERS[answer]
  return {
    status_detail: says,
    api: {
      operation: OPERATION,
      service: serviceOf(place),
      request: { uid: requestId },
      response: { code, error: kind, error_message: says },
    },
    http_response: { code },
  }
}

const findingOf = (denial: Denial, { type, title }: Finding): OcsfEvent => {
  const uid = uidOf(denial.decisionId, 'finding')
  const { firstDecisionId: first } = denial
  return newEvent({
    classUid: 2004,
    activityId: 1,
    severityId: 4,
    outcome: 'new',
    code: type,
    message: title,
    uid,
    tenant: denial.tenant,
    atSeconds: denial.atSeconds,
    correlation: denial.traceId,
    detail: {
      is_alert: true,
      confidence_id: 3,
      confidence: 'High',
      finding_info: {
        uid,
        title,
        types: [type],
        created_time: denial.atSeconds * 1000,
        analytic: { uid: `mintmark.${type}`, name: title, type_id: 1, type: 'Rule' },
        related_events: [
          { uid: denial.decisionId, type_uid: 600301 },
          ...(first === null ? [] : [{ uid: first, type_uid: 300204 }]),
        ],
      },
      evidences: [{ src_endpoint: endpointOf(denial.source), user: subjectOf(denial) }],
    },
    unmapped: { ...factsOf(denial), first_credential: first },
  })
}

const UNKNOWN = { name: 'unknown', type_id: 0, type: 'Unknown' }

/** Who the evidence says it speaks for: only verified evidence says anything. */
const subjectOf = ({ evidence, verified }: Denial): JsonObject =>
  evidence !== null && verified ? { uid: evidence.sub, name: evidence.sub, type_id: 4, type: 'Service' } : UNKNOWN

const authorizationOf = ({ target, configVersion }: Denial): JsonObject => ({
  decision: 'Denied',
  policy: target?.grant
    ? { uid: target.grant, version: configVersion === null ? null : String(configVersion), is_applied: false }
    : null,
})

const factsOf = (denial: Denial): JsonObject => ({
  decision_id: denial.decisionId,
  trace_id: denial.traceId,
  reason: denial.refusal.kind,
  reason_detail: denial.refusal.detail ?? {},
  config_version: denial.configVersion,
  issuer_name: denial.issuerName,
  is_verified: denial.verified,
  verdicts: denial.verdicts,
  wid: denial.wid as JsonObject | null,
  first_decision_id: denial.firstDecisionId,
  instance: denial.counted?.instance ?? null,
  number: denial.counted?.number ?? null,
  target: denial.target,
  evidence:
    denial.evidence === null
      ? null
      : {
          sub: denial.evidence.sub,
          jti: denial.evidence.jti,
          iat: denial.evidence.iat,
          exp: denial.evidence.exp,
          kid: denial.evidence.kid,
          replay_key: denial.evidence.replayKey,
        },
})
