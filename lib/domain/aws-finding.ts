// What AWS reports of sessions that we opened: a finding of GuardDuty or Security Hub, or a call that CloudTrail saw. Whoever
// reports, a session is known by the two names we gave it (aws-session.ts), and its record says everything else. Pure.
import { TENANT_NAME, UUID, whole } from './names.ts'

export const AWS_SEVERITIES = ['low', 'medium', 'high', 'critical'] as const
export type AwsSeverity = (typeof AWS_SEVERITIES)[number]

export type AwsFinding = {
  readonly feed: 'guardduty' | 'securityhub' | 'securityhub_v2' | 'cloudtrail'
  /** Of the finding in its present state: an update is another one. */
  readonly id: string
  /** The account the session is in, as AWS says. */
  readonly account: string
  /** Null: a call, which has none; the tenant says which calls are bad. */
  readonly severity: AwsSeverity | null
  /** Archived, resolved, suppressed, or a sample. */
  readonly isOver: boolean
  /** `<service>:<operation>`, of CloudTrail only. */
  readonly call: string | null
  /** Decision ids of the sessions it names; empty: it is about nothing we opened. */
  readonly sessions: readonly string[]
}

export const isAtLeast = (severity: AwsSeverity, least: AwsSeverity): boolean =>
  AWS_SEVERITIES.indexOf(severity) >= AWS_SEVERITIES.indexOf(least)

const SESSION_NAME = new RegExp(`(?:^|[:/])mintmark-(${UUID})$`)
const SOURCE_IDENTITY = whole(TENANT_NAME, '\\.([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})')

/** The decision id in a principal id, an ARN or a session name, or in a source identity; null: not one of ours. */
export const decisionOfSession = (name: string): string | null =>
  SESSION_NAME.exec(name)?.[1] ?? SOURCE_IDENTITY.exec(name)?.slice(1).join('-') ?? null
