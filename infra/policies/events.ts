// events authenticates what is reported and puts an order on the queue of revoke; it cannot write a revocation itself. Of all
// tenants it reads the documents, since a finding names only an account.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, functionArn, type Place, queueArn, secretsOf } from '../names.ts'
import { dataRole, functionRole, neverErase, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import { allow, deny, onRows, SESSION_TENANT, type Statement } from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

export const eventsRole = (place: Place): Role =>
  functionRole({
    fn: 'events',
    place,
    says: 'Turns authentic security events into orders. Cannot revoke.',
    isIsolated: true,
    // Revoke believes a finding because events sent it: who carries the credentials out must not be able to.
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:*', 'lambda:*', 'sqs:SendMessage'],
    statements: [
      ...tenantSessionsOnly('events'),
      allow('ListTenants', {
        actions: ['dynamodb:Query'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.tenantList),
      }),
      allow('ReadSources', {
        actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.config, shared.issuerKeySets),
      }),
      allow('AskTrust', { actions: ['lambda:InvokeFunction'], resources: [functionArn(place, 'trust')] }),
      allow('OrderRevocations', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'revoke')] }),
      allow('PollQueue', {
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [queueArn(place, 'findings')],
      }),
      allow('Quarantine', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'findings-dlq')] }),
      deny('NeverRecord', { actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'], resources: ['*'] }),
      neverErase,
      deny('NeverAct', { actions: ['iam:*', 'secretsmanager:*'], resources: ['*'] }),
      noDirectKms,
    ],
  })

/** What a transmitter of events shares with the tenant. The tag says so: a tenant has other secrets, of its sinks for one. */
export const readSenderSecrets: Statement = allow('ReadSecrets', {
  actions: ['secretsmanager:GetSecretValue'],
  resources: [secretsOf(SESSION_TENANT)],
  when: { StringEquals: { 'aws:ResourceTag/mintmark-use': 'events' } },
})

export const eventsDataRole: Role = dataRole('events', 'One tenant: remembers events, reads what they are about.', [
  allow('RememberEvents', {
    actions: ['dynamodb:PutItem'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.securityEvents),
  }),
  // Whose session a finding names, and whether a token that leaked is ours.
  allow('ReadRecords', {
    actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.grants, own.decisions, own.securityEvents, own.signingKeys),
  }),
  readSenderSecrets,
  neverErase,
  noDirectKms,
])
