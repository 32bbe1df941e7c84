// Roles that people and pipelines take, never a function (design §5): mintmark-apply writes configuration, mintmark-operator
// works across tenants. Both need a source identity, so that CloudTrail says who.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { anchoredPrefix } from '../../lib/domain/archive-bucket.ts'
import {
  ACCOUNT_ROOT,
  ARCHIVE_BUCKET_ARN,
  anchoredCheckpointsOf,
  CORE_TABLE_ARN,
  LOG_TABLE_ARN,
  PEOPLE_PATH,
  type Place,
  queueArn,
} from '../names.ts'
import { readKeyMoves } from './audit.ts'
import type { Role } from './role.ts'
import { allow, deny, onRows, type Statement, text } from './statement.ts'

const rows = leadingKeys('*')

/** `principals`: ARN patterns of those who may take the role. */
const namedPeople = (principals: readonly string[]): Statement[] => [
  allow('NamedPrincipals', {
    principal: { AWS: text(ACCOUNT_ROOT) },
    actions: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
    when: { ArnLike: { 'aws:PrincipalArn': principals.map(text) }, Null: { 'sts:SourceIdentity': 'false' } },
  }),
]

const neverAct: Statement = deny('NeverAct', {
  actions: ['sts:AssumeRole', 'kms:Sign', 'kms:GenerateMac', 'iam:*', 'lambda:*'],
  resources: ['*'],
})

export const applyRole = (place: Place, principals: readonly string[]): Role => ({
  name: 'mintmark-apply',
  path: PEOPLE_PATH,
  says: 'Applies reviewed tenant documents, the only writer of configuration, and orders the cuts that follow.',
  trust: namedPeople(principals),
  statements: [
    allow('WriteConfiguration', {
      actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
      resources: [CORE_TABLE_ARN],
      when: onRows(rows.config, rows.tenantList),
    }),
    allow('ReadConfiguration', {
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
      resources: [CORE_TABLE_ARN],
      when: onRows(rows.config, rows.tenantList),
    }),
    // A receiver that a document names begins behind the changes there are.
    allow('ReadChanges', {
      actions: ['dynamodb:Query'],
      resources: [CORE_TABLE_ARN],
      when: onRows(rows.revocationChanges),
    }),
    // What was removed or narrowed becomes a cut of what it issued: an order, since only revoke writes revocations.
    allow('OrderRevocations', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'revoke')] }),
    // Of a restored backup a key that was replaced since (docs/runbooks/restore-from-backup.md): the rows, and no other.
    allow('DropRestoredKeys', {
      actions: ['dynamodb:Query', 'dynamodb:DeleteItem'],
      resources: [CORE_TABLE_ARN],
      when: onRows(rows.signingKeys),
    }),
    neverAct,
  ],
})

export const operatorRole = (place: Place, principals: readonly string[]): Role => ({
  name: 'mintmark-operator',
  path: PEOPLE_PATH,
  says: 'Reads decisions and logs, orders revocations and lifts blocks, across tenants.',
  trust: namedPeople(principals),
  statements: [
    allow('ReadDecisions', {
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
      resources: [CORE_TABLE_ARN],
      when: onRows(
        rows.config,
        rows.tenantList,
        rows.grants,
        rows.decisions,
        rows.revocations,
        rows.revocationVersion,
        rows.revocationChanges,
        rows.appliedOrders,
        rows.lookUps,
      ),
    }),
    readKeyMoves(rows.signingKeys),
    allow('ReadLogs', {
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
      resources: [LOG_TABLE_ARN],
      when: onRows(
        rows.log,
        rows.logHead,
        rows.logUids,
        rows.logDenials,
        rows.publicLog,
        rows.logCheckpoints,
        rows.logExpired,
      ),
    }),
    // What a log is compared with. Of the bucket these alone: an export has the events of all tenants.
    allow('ListAnchored', {
      actions: ['s3:ListBucket'],
      resources: [ARCHIVE_BUCKET_ARN],
      when: { StringLike: { 's3:prefix': anchoredPrefix('*') } },
    }),
    allow('ReadAnchored', { actions: ['s3:GetObject'], resources: [anchoredCheckpointsOf('*')] }),
    allow('OrderRevocations', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'revoke')] }),
    // A lifted block says by whom and why, and one that is gone without that is an alarm of audit.
    allow('LiftBlocks', {
      actions: ['dynamodb:UpdateItem'],
      resources: [CORE_TABLE_ARN],
      when: onRows(rows.revocations, rows.revocationVersion, rows.revocationChanges),
    }),
    deny('NeverWrite', {
      actions: ['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'],
      resources: ['*'],
    }),
    neverAct,
  ],
})
