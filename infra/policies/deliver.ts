// deliver brings the tenants' logs to their sinks, over the internet. It has no key and cannot append: what it could do if it were
// taken over is withhold events from sinks, or bring them others, which the log would tell. Those of a webhook would be signed, for
// checkpoint signs any body for any tenant, but for the URL of one of that tenant's own webhooks and for no other place, and nothing
// that could be taken for a checkpoint. By asking without end it could hold up checkpoints, which has an alarm.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, LOG_TABLE_ARN, type Place, queueArn, requestArn, secretsOf } from '../names.ts'
import { dataRole, functionRole, keepWhatFailed, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import { allow, deny, onRows, SESSION_TENANT } from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

export const deliverRole = (place: Place): Role =>
  functionRole({
    fn: 'deliver',
    place,
    says: 'Delivers the tenants logs to their sinks. Cannot append.',
    isIsolated: false,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:*', 'lambda:*'],
    statements: [
      ...tenantSessionsOnly('deliver'),
      allow('ListTenants', {
        actions: ['dynamodb:Query'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.tenantList),
      }),
      // Which sinks there are: most tenants may have none, and none of those needs a session.
      allow('ReadDocuments', {
        actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.config),
      }),
      // Of webhooks: a URL and a digest out, a signature back. IAM sees no tenant here; checkpoint holds the URL against the
      // document of the tenant that is named.
      allow('AskForSignatures', {
        actions: ['lambda:InvokeFunction'],
        resources: [requestArn(place, 'checkpoint', 'webhook')],
      }),
      keepWhatFailed(queueArn(place, 'deliver-dlq')),
      deny('NeverAct', { actions: ['iam:*', 'secretsmanager:*'], resources: ['*'] }),
      noDirectKms,
    ],
  })

export const deliverDataRole: Role = dataRole(
  'deliver',
  'One tenant: reads its log, keeps what is known of its sinks.',
  [
    allow('ReadLog', {
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [LOG_TABLE_ARN],
      when: onRows(own.log, own.logHead, own.logCheckpoints),
    }),
    allow('ReadSinks', {
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [LOG_TABLE_ARN],
      when: onRows(own.sinks, own.deadLetters, own.sinkErrands),
    }),
    allow('MoveSinks', {
      actions: ['dynamodb:UpdateItem'],
      resources: [LOG_TABLE_ARN],
      when: onRows(own.sinks, own.sinkErrands),
    }),
    allow('Bury', { actions: ['dynamodb:PutItem'], resources: [LOG_TABLE_ARN], when: onRows(own.deadLetters) }),
    // What a sink took after all, and errands of days ago.
    allow('Forget', {
      actions: ['dynamodb:DeleteItem'],
      resources: [LOG_TABLE_ARN],
      when: onRows(own.deadLetters, own.sinkErrands),
    }),
    // What a sink gave to the tenant. The tag says so: a tenant has other secrets, of its transmitters for one.
    allow('ReadSecrets', {
      actions: ['secretsmanager:GetSecretValue'],
      resources: [secretsOf(SESSION_TENANT)],
      when: { StringEquals: { 'aws:ResourceTag/mintmark-use': 'sinks' } },
    }),
    noDirectKms,
  ],
)
