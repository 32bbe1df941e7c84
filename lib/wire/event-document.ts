// `events:` of the tenant document: who may report security events, and what each of them revokes. What it may mean is in
// lib/wire/compile-events.ts. Pure.
import * as z from 'zod/mini'
import { AWS_SEVERITIES } from '../domain/aws-finding.ts'
import { COMPLEX_MEMBERS, SUBJECT_FORMATS, type SubjectFormat } from '../domain/event-subject.ts'
import { LIMITS } from '../domain/limits.ts'
import { REVOCATION_KINDS, type RevocationKind } from '../domain/revocation.ts'
import { SECURITY_EVENTS, type SecurityEventName } from '../domain/security-event.ts'
import { algorithms, jwks, list, name, secretFile, text, url } from './document-parts.ts'

const REVOCABLE = Object.keys(REVOCATION_KINDS) as [RevocationKind, ...RevocationKind[]]
const EVENTS = Object.keys(SECURITY_EVENTS) as [SecurityEventName, ...SecurityEventName[]]
const FORMATS = Object.keys(SUBJECT_FORMATS) as [SubjectFormat, ...SubjectFormat[]]
const ACTIONS = ['block', 'cut'] as const

const says = <T extends z.ZodMiniType>(schema: T, description: string): T => schema.check(z.describe(description)) as T

const eventRule = says(
  z.strictObject({
    member: says(
      z.optional(z.enum(COMPLEX_MEMBERS)),
      'The member of a complex subject that is looked at. Left out: the subject is a simple one, or aliases.',
    ),
    subject: says(z.enum(FORMATS), 'RFC 9493 subject format whose value is taken.'),
    revoke: says(z.enum(REVOCABLE), 'Kind of revocation the event becomes.'),
    issuer: says(
      z.optional(name('an issuer')),
      'Issuer that run, project, actor and issuer_key are named with. Default: the only one of the tenant.',
    ),
    action: says(
      z.optional(z.enum(ACTIONS)),
      'block (default): denied until "mintmark unblock". cut: what was issued is dead, attesting again is allowed.',
    ),
  }),
  'What an event revokes.',
)

const setSource = says(
  z.strictObject({
    issuer: says(url, '`iss` of its SETs, byte for byte.'),
    audience: says(
      z.optional(text),
      'What its SETs carry in `aud`: `<issuer URL>/events` (the default), the issuer URL, or that and `/…` or `#…`.',
    ),
    jwks: z.optional(jwks),
    algorithms: says(z.optional(algorithms), 'Signature algorithms accepted from it. Default: RS256, PS256, ES256.'),
    authorization: says(
      z.optional(secretFile),
      'What its requests must show in the header Authorization, whole: the authorization_header of the stream.',
    ),
    on: says(
      z.partialRecord(
        z.enum(EVENTS),
        z.union([eventRule, z.array(eventRule).check(z.minLength(1), z.maxLength(LIMITS.eventRulesMax))], {
          error: 'must be { subject: …, revoke: … }, or a list of them',
        }),
      ),
      'Event to what it revokes. Of several rules the first whose subject fits decides.',
    ),
  }),
  'Who may report security events (RFC 8935).',
)

const githubSource = says(
  z.strictObject({
    type: z.literal('github'),
    secret: secretFile,
    secret_types: says(
      list(text),
      'Types of secret that are tokens of this broker: the slug of the custom pattern that finds them.',
    ),
    issuer: says(
      z.optional(name('an issuer')),
      'Issuer whose projects the repositories are. Default: the only one with provider github.',
    ),
    action: says(z.optional(z.enum(ACTIONS)), 'What becomes of the repository where one leaked. Default: block.'),
  }),
  'A webhook of GitHub for secret_scanning_alert: the repository where a token leaked is revoked as a project.',
)

const awsSource = says(
  z.strictObject({
    type: z.literal('aws'),
    min_severity: says(z.optional(z.enum(AWS_SEVERITIES)), 'Least severity of a finding that revokes. Default: high.'),
    calls: says(
      z.optional(
        list(
          z
            .string()
            .check(z.regex(/^[a-z0-9-]+:[A-Za-z0-9]+$/, 'a call is <service>:<Operation>, as cloudtrail:StopLogging')),
        ),
      ),
      'Calls, seen by CloudTrail, that no session of this broker has any business with.',
    ),
    revoke: says(
      z.optional(z.enum(['credential', 'session', 'run', 'subject', 'project', 'actor', 'grant'])),
      'What of the session that is named is revoked, by its record. Default: credential.',
    ),
    action: says(z.optional(z.enum(ACTIONS)), 'block by default.'),
  }),
  'Findings of GuardDuty and Security Hub, and calls seen by CloudTrail, in the accounts of the grants. AWS target only.',
)

const leakSource = says(
  z.strictObject({
    type: z.literal('github-partner'),
    keys_url: says(z.optional(url), 'Where the public keys of GitHub are. Default: those of github.com.'),
  }),
  'The secret scanning partner program of GitHub: tokens of this tenant that leak in public code are revoked.',
)

export const eventSource = z.union([setSource, githubSource, awsSource, leakSource], {
  error: 'must be a transmitter of SETs, or have a type: github, github-partner or aws',
})

export type EventSourceDocument = z.infer<typeof eventSource>
export type SetSourceDocument = z.infer<typeof setSource>
export type GithubSourceDocument = z.infer<typeof githubSource>
export type AwsSourceDocument = z.infer<typeof awsSource>
export type LeakSourceDocument = z.infer<typeof leakSource>
