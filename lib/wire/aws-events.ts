// Events as EventBridge delivers them, through SQS: GuardDuty (single findings and attack sequences), both feeds of Security
// Hub, and calls that CloudTrail saw. Each is read for whom it names and how bad it is; what AWS adds to them is passed by.
// Pure. Recorded examples: events/aws.
import * as z from 'zod/mini'
import { type AwsFinding, type AwsSeverity, decisionOfSession } from '../domain/aws-finding.ts'
import { LIMITS } from '../domain/limits.ts'
import { type ReadMessage, readQueueBody } from './queue-body.ts'

const text = z.string().check(z.maxLength(2048))
const account = z.string().check(z.regex(/^[0-9]{12}$/))
const some = <T extends z.ZodMiniType>(of: T) => z.array(of).check(z.maxLength(100))

const user = z.object({ uid: z.optional(text), name: z.optional(text), credentialUid: z.optional(text) })

const guardDuty = z.object({
  source: z.literal('aws.guardduty'),
  'detail-type': z.literal('GuardDuty Finding'),
  detail: z.object({
    accountId: account,
    id: text,
    updatedAt: text,
    severity: z.number().check(z.minimum(0), z.maximum(10)),
    resource: z.object({ accessKeyDetails: z.optional(z.object({ principalId: text })) }),
    service: z.object({
      archived: z.optional(z.boolean()),
      additionalInfo: z.optional(z.object({ sample: z.optional(z.boolean()) })),
      detection: z.optional(
        z.object({
          sequence: z.optional(z.object({ actors: z.optional(some(z.object({ id: text, user: z.optional(user) }))) })),
        }),
      ),
    }),
  }),
})

const securityHub = z.object({
  source: z.literal('aws.securityhub'),
  'detail-type': z.literal('Security Hub Findings - Imported'),
  detail: z.object({
    findings: some(
      z.object({
        Id: text,
        AwsAccountId: account,
        UpdatedAt: text,
        Severity: z.object({ Label: z.enum(['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']) }),
        RecordState: z.optional(text),
        Workflow: z.optional(z.object({ Status: text })),
        Sample: z.optional(z.boolean()),
        Resources: some(
          z.object({
            Details: z.optional(z.object({ AwsIamAccessKey: z.optional(z.object({ PrincipalId: z.optional(text) })) })),
          }),
        ),
      }),
    ),
  }),
})

const ocsfUser = z.object({ uid: z.optional(text), uid_alt: z.optional(text), name: z.optional(text) })

/** OCSF Detection Finding (class 2004), as Security Hub sends it. */
const securityHubV2 = z.object({
  source: z.literal('aws.securityhub'),
  'detail-type': z.literal('Findings Imported V2'),
  detail: z.object({
    findings: some(
      z.object({
        metadata: z.object({ uid: text }),
        severity_id: z.int(),
        status_id: z.optional(z.int()),
        finding_info: z.object({ modified_time: z.optional(z.number()), created_time: z.optional(z.number()) }),
        cloud: z.object({ account: z.object({ uid: account }) }),
        evidences: z.optional(some(z.object({ actor: z.optional(z.object({ user: z.optional(ocsfUser) })) }))),
      }),
    ),
  }),
})

const cloudTrail = z.object({
  source: z.string().check(z.maxLength(64)),
  'detail-type': z.literal('AWS API Call via CloudTrail'),
  detail: z.object({
    eventID: text,
    eventSource: z.string().check(z.regex(/^[a-z0-9-]+\.amazonaws\.com$/)),
    eventName: z.string().check(z.regex(/^[A-Za-z0-9]+$/)),
    userIdentity: z.object({
      accountId: z.optional(account),
      principalId: z.optional(text),
      sessionContext: z.optional(z.object({ sourceIdentity: z.optional(text) })),
    }),
    recipientAccountId: z.optional(account),
  }),
})

const eventSchema = z.union([guardDuty, securityHub, securityHubV2, cloudTrail])
type AwsEvent = z.infer<typeof eventSchema>

type Read = ReadMessage<{ readonly findings: readonly AwsFinding[]; readonly text: string }>

/** Reasons: too_large, not_json, not_a_finding. */
export const readAwsEvent = (body: string): Read => {
  const read = readQueueBody(body, {
    bytesMax: LIMITS.findingBytesMax,
    schema: eventSchema,
    otherwise: 'not_a_finding',
  })
  return read.ok ? { ok: true, message: { findings: findingsOf(read.message), text: body } } : read
}

const findingsOf = (event: AwsEvent): AwsFinding[] => {
  switch (event['detail-type']) {
    case 'GuardDuty Finding':
      return [ofGuardDuty(event.detail)]
    case 'Security Hub Findings - Imported':
      return event.detail.findings.map(ofSecurityHub)
    case 'Findings Imported V2':
      return event.detail.findings.map(ofSecurityHubV2)
    case 'AWS API Call via CloudTrail':
      return [ofCloudTrail(event.detail)]
  }
}

/** Each once, in the order they are named. */
const sessionsIn = (names: readonly (string | undefined)[]): string[] => [
  ...new Set(names.flatMap((name) => (name === undefined ? [] : (decisionOfSession(name) ?? [])))),
]

const ofGuardDuty = ({
  id,
  accountId,
  updatedAt,
  severity,
  resource,
  service,
}: z.infer<typeof guardDuty>['detail']) => {
  // Of an attack sequence an actor's id is `user:AssumedRole:<role id>:<session name>`.
  const actors = service.detection?.sequence?.actors ?? []
  const finding: AwsFinding = {
    feed: 'guardduty',
    id: `${id} ${updatedAt}`,
    account: accountId,
    severity: severity >= 9 ? 'critical' : severity >= 7 ? 'high' : severity >= 4 ? 'medium' : 'low',
    isOver: service.archived === true || service.additionalInfo?.sample === true,
    call: null,
    sessions: sessionsIn([
      resource.accessKeyDetails?.principalId,
      ...actors.flatMap((actor) => [actor.id, actor.user?.uid, actor.user?.name]),
    ]),
  }
  return finding
}

const ASFF_SEVERITY: Readonly<Record<string, AwsSeverity>> = { MEDIUM: 'medium', HIGH: 'high', CRITICAL: 'critical' }
const ASFF_OVER: ReadonlySet<string> = new Set(['SUPPRESSED', 'RESOLVED'])

const ofSecurityHub = (found: z.infer<typeof securityHub>['detail']['findings'][number]): AwsFinding => ({
  feed: 'securityhub',
  id: `${found.Id} ${found.UpdatedAt}`,
  account: found.AwsAccountId,
  severity: ASFF_SEVERITY[found.Severity.Label] ?? 'low',
  isOver: found.RecordState === 'ARCHIVED' || found.Sample === true || ASFF_OVER.has(found.Workflow?.Status ?? ''),
  call: null,
  sessions: sessionsIn(found.Resources.map(({ Details }) => Details?.AwsIamAccessKey?.PrincipalId)),
})

const OCSF_SEVERITY: Readonly<Record<number, AwsSeverity>> = { 3: 'medium', 4: 'high', 5: 'critical', 6: 'critical' }
/** Suppressed, resolved, archived. */
const OCSF_OVER: ReadonlySet<number> = new Set([3, 4, 5])

const ofSecurityHubV2 = (found: z.infer<typeof securityHubV2>['detail']['findings'][number]): AwsFinding => ({
  feed: 'securityhub_v2',
  id: `${found.metadata.uid} ${found.finding_info.modified_time ?? found.finding_info.created_time ?? ''}`,
  account: found.cloud.account.uid,
  severity: OCSF_SEVERITY[found.severity_id] ?? 'low',
  isOver: OCSF_OVER.has(found.status_id ?? 0),
  call: null,
  sessions: sessionsIn(
    (found.evidences ?? []).flatMap(({ actor }) => [actor?.user?.uid, actor?.user?.uid_alt, actor?.user?.name]),
  ),
})

const ofCloudTrail = ({
  eventID,
  eventSource,
  eventName,
  ...detail
}: z.infer<typeof cloudTrail>['detail']): AwsFinding => ({
  feed: 'cloudtrail',
  id: eventID,
  account: detail.userIdentity.accountId ?? detail.recipientAccountId ?? '',
  severity: null,
  isOver: false,
  call: `${eventSource.slice(0, eventSource.indexOf('.'))}:${eventName}`,
  // The source identity stays through every role the session goes on to assume; the session name does not.
  sessions: sessionsIn([detail.userIdentity.sessionContext?.sourceIdentity, detail.userIdentity.principalId]).slice(
    0,
    1,
  ),
})
