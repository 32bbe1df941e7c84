// Policies of queues and of the archive: over TLS only, and services may send only from a source of ours.
import { ARCHIVE_BUCKET_ARN } from '../names.ts'
import { type Action, allow, deny, type PolicyDocument, policy, type Statement, text } from './statement.ts'

const tlsOnly = (action: Action, ...resources: readonly string[]): Statement =>
  deny('TlsOnly', {
    principal: '*',
    actions: [action],
    resources,
    when: { Bool: { 'aws:SecureTransport': 'false' } },
  })

/** `producers`: services that may send, each from one source of ours. Roles of ours need only their own policies. */
export const queuePolicy = (arn: string, producers: readonly Statement[] = []): PolicyDocument =>
  policy([...producers, tlsOnly('sqs:*', arn)])

export const ruleMaySend = (arn: string, ...rules: readonly string[]): Statement =>
  allow('RuleMaySend', {
    principal: { Service: 'events.amazonaws.com' },
    actions: ['sqs:SendMessage'],
    resources: [arn],
    when: {
      ArnEquals: { 'aws:SourceArn': rules.map(text) },
      StringEquals: { 'aws:SourceAccount': text('${AWS::AccountId}') },
    },
  })

/** The archive: written by the export, kept by Object Lock, and denied to whoever would shorten that. */
export const archivePolicy: PolicyDocument = policy([
  tlsOnly('s3:*', ARCHIVE_BUCKET_ARN, `${ARCHIVE_BUCKET_ARN}/*`),
  deny('NeverShorten', {
    principal: '*',
    actions: [
      's3:DeleteObject',
      's3:DeleteObjectVersion',
      's3:BypassGovernanceRetention',
      's3:PutObjectRetention',
      's3:PutObjectLegalHold',
    ],
    resources: [`${ARCHIVE_BUCKET_ARN}/*`],
  }),
])
