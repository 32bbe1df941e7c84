// erase drops what tenants no longer keep, and erases removed ones. It alone deletes of a log and of keys, and it takes nothing from
// anybody: what it could do if it were taken over is destroy what is said of decisions, not say anything else; commitments,
// tiles and checkpoints stay, and the copies in the locked bucket.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, LOG_TABLE_ARN, type Place, queueArn } from '../names.ts'
import { dataRole, functionRole, keepWhatFailed, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import { allow, deny, onRows, SESSION_TENANT } from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

export const eraseRole = (place: Place): Role =>
  functionRole({
    fn: 'erase',
    place,
    says: 'Drops expired events and erases removed tenants. Writes no event.',
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:*'],
    statements: [
      ...tenantSessionsOnly('erase'),
      allow('ListTenants', {
        actions: ['dynamodb:Query'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.tenantList),
      }),
      // How long tenants keep their events, and which of them were removed, when.
      allow('ReadDocuments', {
        actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.config),
      }),
      // A wrong clock must not bring forward what nothing undoes.
      allow('ReadClockMark', {
        actions: ['dynamodb:GetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.clockMark),
      }),
      // That nothing waits to be signed any more where the keys are gone.
      allow('SettleRemoved', {
        actions: ['dynamodb:UpdateItem'],
        resources: [LOG_TABLE_ARN],
        when: onRows(shared.logList),
      }),
      keepWhatFailed(queueArn(place, 'erase-dlq')),
      deny('NeverAct', { actions: ['lambda:InvokeFunction', 'iam:*', 'secretsmanager:*'], resources: ['*'] }),
      noDirectKms,
    ],
  })

export const eraseDataRole: Role = dataRole('erase', 'One tenant: drops of its log what has expired, and its keys.', [
  allow('ReadLog', {
    actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
    resources: [LOG_TABLE_ARN],
    when: onRows(
      own.log,
      own.logHead,
      own.logDenials,
      own.logCheckpoints,
      own.logExpired,
      own.sinks,
      own.deadLetters,
      own.sinkErrands,
    ),
  }),
  allow('SayExpired', { actions: ['dynamodb:PutItem'], resources: [LOG_TABLE_ARN], when: onRows(own.logExpired) }),
  allow('DropEvents', {
    actions: ['dynamodb:DeleteItem'],
    resources: [LOG_TABLE_ARN],
    when: onRows(own.log, own.logDenials, own.deadLetters, own.sinkErrands),
  }),
  allow('ReadKeys', {
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.signingKeys, own.feedSecret),
  }),
  allow('EraseKeys', {
    actions: ['dynamodb:DeleteItem'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.signingKeys, own.feedSecret),
  }),
  noDirectKms,
])
