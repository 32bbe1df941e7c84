// audit takes the feed of records and the queue of denials, and appends to the tenants' logs. Of the core table it reads
// what a replay is about, and what the log is compared with; the rest as its stream shows it.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_STREAM_ARN, CORE_TABLE_ARN, LOG_TABLE_ARN, type Place, queueArn } from '../names.ts'
import { dataRole, functionRole, neverErase, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import { all, allow, deny, onlySelected, onRows, SESSION_TENANT, type Statement } from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

export const auditRole = (place: Place): Role =>
  functionRole({
    fn: 'audit',
    place,
    says: 'Takes the feed into the tenants logs. Only appends.',
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:Query', 'dynamodb:UpdateItem'],
    statements: [
      ...tenantSessionsOnly('audit'),
      allow('PollStream', {
        actions: [
          'dynamodb:DescribeStream',
          'dynamodb:GetRecords',
          'dynamodb:GetShardIterator',
          'dynamodb:ListStreams',
        ],
        resources: [CORE_STREAM_ARN],
      }),
      allow('PollQueue', {
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [queueArn(place, 'denials')],
      }),
      // Which logs grow, and how far each was compared with its records.
      allow('KeepList', {
        actions: ['dynamodb:Query', 'dynamodb:UpdateItem'],
        resources: [LOG_TABLE_ARN],
        when: onRows(shared.logList),
      }),
      // Also where Lambda puts the position of a batch that could not be taken.
      allow('Quarantine', {
        actions: ['sqs:SendMessage'],
        resources: [queueArn(place, 'audit-dlq'), queueArn(place, 'denials-dlq')],
      }),
      // A replay may end the credential that came of the evidence first.
      allow('OrderRevocations', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'revoke')] }),
      deny('NeverAct', {
        actions: ['lambda:InvokeFunction', 'iam:*', 'secretsmanager:*'],
        resources: ['*'],
      }),
      noDirectKms,
    ],
  })

/** When keys moved, and nothing of a private half. `keys`: whose rows of keys. */
export const readKeyMoves = (keys: string): Statement =>
  allow('ReadKeyMoves', {
    actions: ['dynamodb:Query'],
    resources: [CORE_TABLE_ARN],
    when: all(onRows(keys), onlySelected('pk', 'sk', 'alg', 'use', ...KEY_MOVED_AT)),
  })
const KEY_MOVED_AT = ['createdAt', 'activatedAt', 'retiringAt', 'retiredAt', 'taintedAt'] as const

export const auditDataRole: Role = dataRole('audit', 'One tenant: appends to its log.', [
  // Of an outcome the record it is about; of a replay what it was of, and whether the document says that it revokes; of an hour all
  // that was decided, of orders and documents those that are not in the log.
  allow('ReadRecords', {
    actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.config, own.grants, own.decisions, own.appliedOrders),
  }),
  // What there is to be looked for.
  allow('ListChanges', {
    actions: ['dynamodb:Query'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.decisions, own.lookUps, own.revocationChanges),
  }),
  readKeyMoves(own.signingKeys),
  // Only the head and the edge of the tree are ever written over. That a leaf is put where none was, a condition of ours says; IAM
  // cannot, and the tree that was signed before would show it.
  allow('AppendToLog', {
    actions: ['dynamodb:PutItem'],
    resources: [LOG_TABLE_ARN],
    when: onRows(own.log, own.logHead, own.logUids, own.publicLog, own.logDenials),
  }),
  allow('ReadLog', {
    actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
    resources: [LOG_TABLE_ARN],
    when: onRows(own.logHead, own.logUids, own.publicLog),
  }),
  neverErase,
  noDirectKms,
])
