// discovery serves public documents. It reads the public halves of a tenant's keys and has no way to a private one: pages of the
// feed it is given, signed.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, LOG_TABLE_ARN, type Place, requestArn } from '../names.ts'
import { dataRole, functionRole, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import { allow, deny, onRows, SESSION_TENANT } from './statement.ts'

const own = leadingKeys(SESSION_TENANT)

export const discoveryRole = (place: Place): Role =>
  functionRole({
    fn: 'discovery',
    place,
    says: 'Serves public documents.',
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'lambda:*'],
    statements: [
      ...tenantSessionsOnly('discovery'),
      allow('AskForPages', { actions: ['lambda:InvokeFunction'], resources: [requestArn(place, 'feed', 'page')] }),
      deny('NeverAct', {
        actions: ['kms:*', 'iam:*', 'secretsmanager:*', 'dynamodb:*'],
        resources: ['*'],
      }),
    ],
  })

export const discoveryDataRole: Role = dataRole('discovery', 'One tenant: reads what it publishes.', [
  allow('ReadPublished', {
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.config, own.signingKeys),
  }),
  // Commitments, the tree over them, and what was signed. Neither events nor salts.
  allow('ReadPublicLog', {
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    resources: [LOG_TABLE_ARN],
    when: onRows(own.publicLog, own.logCheckpoints),
  }),
  deny('NeverWrite', {
    actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'],
    resources: ['*'],
  }),
  noDirectKms,
])
