// Key policies. Without a statement for the account's root, IAM policies alone open no key: both sides must say yes.
import { ACCOUNT_ROOT, dataRoleArn } from '../names.ts'
import { FEED_SECRET } from './mint.ts'
import {
  type Action,
  all,
  allow,
  type Condition,
  deny,
  keyContext,
  type PolicyDocument,
  policy,
  SESSION_TENANT,
  type Statement,
  text,
} from './statement.ts'

/** The deploying role may manage a key and use none. It must exist before the stack. */
const administered = (deployRole: string): Statement =>
  allow('Administer', {
    principal: { AWS: text(deployRole) },
    actions: [
      'kms:DescribeKey',
      'kms:GetKeyPolicy',
      'kms:GetKeyRotationStatus',
      'kms:ListResourceTags',
      'kms:PutKeyPolicy',
      'kms:EnableKeyRotation',
      'kms:UpdateKeyDescription',
      'kms:TagResource',
      'kms:CancelKeyDeletion',
    ],
    resources: ['*'],
  })

/** Trust in the root with aws:PrincipalArn holds when the role is made anew, and asks for the role's own policy as well. */
const role = (
  arn: string,
): { readonly principal: { readonly AWS: ReturnType<typeof text> }; readonly when: Condition } => ({
  principal: { AWS: text(ACCOUNT_ROOT) },
  when: { ArnEquals: { 'aws:PrincipalArn': text(arn) } },
})

const ofRole = (arn: string, sid: string, action: Action, context: Condition): Statement => {
  const { principal, when } = role(arn)
  return allow(sid, { principal, actions: [action], resources: ['*'], when: all(when, context) })
}

const mint = dataRoleArn('mint')
const feed = dataRoleArn('feed')
const checkpoint = dataRoleArn('checkpoint')
const rotate = dataRoleArn('rotate')

/** Wraps the signing keys and feed secrets of all pooled tenants, each under its own context. */
export const poolKeyPolicy = (deployRole: string): PolicyDocument =>
  policy([
    administered(deployRole),
    ofRole(
      rotate,
      'MakePairUnseen',
      'kms:GenerateDataKeyPairWithoutPlaintext',
      keyContext(SESSION_TENANT, ['token', 'signal', 'log']),
    ),
    ofRole(mint, 'OpenOwnTenant', 'kms:Decrypt', keyContext(SESSION_TENANT, ['token', FEED_SECRET])),
    ofRole(feed, 'OpenOwnSignals', 'kms:Decrypt', keyContext(SESSION_TENANT, ['signal', FEED_SECRET])),
    ofRole(checkpoint, 'OpenOwnLogs', 'kms:Decrypt', keyContext(SESSION_TENANT, 'log')),
    ofRole(mint, 'SealFeedSecret', 'kms:Encrypt', keyContext(SESSION_TENANT, FEED_SECRET)),
    deny('NobodyElseOpens', {
      principal: '*',
      actions: ['kms:Decrypt'],
      resources: ['*'],
      when: { ArnNotEquals: { 'aws:PrincipalArn': [mint, feed, checkpoint].map(text) } },
    }),
    deny('NobodyPassesOn', {
      principal: '*',
      actions: ['kms:ReEncryptFrom', 'kms:CreateGrant', 'kms:GenerateDataKeyPair', 'kms:GenerateDataKey'],
      resources: ['*'],
    }),
  ])

/** Whoever may use the storage may use its key, through it and not otherwise (AWS KMS developer guide, kms:ViaService). */
const throughStorage = (...services: readonly string[]): Statement =>
  allow('ThroughStorage', {
    principal: '*',
    actions: [
      'kms:Encrypt',
      'kms:Decrypt',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:DescribeKey',
      'kms:CreateGrant',
    ],
    resources: ['*'],
    when: {
      StringEquals: {
        'kms:CallerAccount': text('${AWS::AccountId}'),
        'kms:ViaService': services.map((service) => text(`${service}.\${AWS::Region}.amazonaws.com`)),
      },
    },
  })

/** Encrypts the core table. */
export const coreKeyPolicy = (deployRole: string): PolicyDocument =>
  policy([administered(deployRole), throughStorage('dynamodb')])

/** Encrypts what is kept of the past: log table, archive, process logs; and the alarm topic. */
export const logKeyPolicy = (deployRole: string): PolicyDocument =>
  policy([
    administered(deployRole),
    throughStorage('dynamodb', 's3'),
    allow('ProcessLogs', {
      principal: { Service: text('logs.${AWS::Region}.amazonaws.com') },
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
      resources: ['*'],
      when: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': text(
            'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*mintmark-*',
          ),
        },
      },
    }),
    allow('AlarmsToTopic', {
      principal: { Service: 'cloudwatch.amazonaws.com' },
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      when: { StringEquals: { 'aws:SourceAccount': text('${AWS::AccountId}') } },
    }),
  ])
