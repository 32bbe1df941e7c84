// trust fetches issuers' keys from the internet: the only writer of key sets. It sees no tenant's keys and signs nothing.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, type Place, queueArn } from '../names.ts'
import { functionRole, keepWhatFailed, neverErase, noDirectKms, type Role } from './role.ts'
import { allow, deny, onRows } from './statement.ts'

const rows = leadingKeys('*')

export const trustRole = (place: Place): Role =>
  functionRole({
    fn: 'trust',
    place,
    says: 'Fetches and keeps the keys of issuers. Cannot sign.',
    isIsolated: false,
    onlyInside: ['dynamodb:*'],
    statements: [
      allow('ListTenants', {
        actions: ['dynamodb:Query'],
        resources: [CORE_TABLE_ARN],
        when: onRows(rows.tenantList),
      }),
      allow('ReadSources', {
        actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(rows.config, rows.issuerKeySets),
      }),
      allow('WriteKeySets', {
        actions: ['dynamodb:PutItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(rows.issuerKeySets),
      }),
      keepWhatFailed(queueArn(place, 'trust-dlq')),
      neverErase,
      deny('NeverSign', {
        actions: ['sts:AssumeRole', 'sts:TagSession', 'lambda:InvokeFunction', 'iam:*', 'secretsmanager:*'],
        resources: ['*'],
      }),
      noDirectKms,
    ],
  })
