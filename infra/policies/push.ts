// push tells webhooks what was revoked. It has a way out to addresses that tenants name, and so no key: SETs it is given, signed.
// What it could do if it were taken over is leave receivers untold, and say who else was told.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, type Place, queueArn, requestArn, secretsOf } from '../names.ts'
import { dataRole, functionRole, neverErase, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import { allow, deny, onRows, SESSION_TENANT, type Statement } from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

export const pushRole = (place: Place): Role =>
  functionRole({
    fn: 'push',
    place,
    says: 'Pushes signed events to webhooks of tenants. Has no key.',
    isIsolated: false,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:*', 'lambda:*'],
    statements: [
      ...tenantSessionsOnly('push'),
      allow('ListTenants', {
        actions: ['dynamodb:Query'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.tenantList),
      }),
      allow('AskForSets', { actions: ['lambda:InvokeFunction'], resources: [requestArn(place, 'feed', 'sets')] }),
      allow('WakePush', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'push')] }),
      allow('PollQueue', {
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [queueArn(place, 'push')],
      }),
      // Also where Lambda puts a run of the schedule that failed.
      allow('Quarantine', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'push-dlq')] }),
      deny('NeverAct', { actions: ['iam:*', 'secretsmanager:*'], resources: ['*'] }),
      noDirectKms,
    ],
  })

/** Where a receiver is in the changes, and what they say. One statement, since one request asks for several of these rows. */
export const readOwed = (...more: readonly string[]): Statement =>
  allow('ReadOwed', {
    actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.config, own.revocations, own.revocationChanges, own.receivers, ...more),
  })

export const moveReceivers: Statement = allow('MoveReceivers', {
  actions: ['dynamodb:UpdateItem'],
  resources: [CORE_TABLE_ARN],
  when: onRows(own.receivers),
})

export const pushDataRole: Role = dataRole('push', 'One tenant: reads what its receivers are owed, and moves them.', [
  readOwed(),
  moveReceivers,
  // What it shows at a webhook. The tag says so: a tenant has other secrets.
  allow('ReadSecrets', {
    actions: ['secretsmanager:GetSecretValue'],
    resources: [secretsOf(SESSION_TENANT)],
    when: { StringEquals: { 'aws:ResourceTag/mintmark-use': 'receivers' } },
  }),
  neverErase,
  noDirectKms,
])
