// What the functions have in common that are called with a tenant's own tokens: they read what says whether a token is good, put
// orders and refusals on their queues, and write no revocation themselves.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, type Place, queueArn } from '../names.ts'
import { functionRole, type Role, tenantSessionsOnly } from './role.ts'
import { allow, deny, onRows, SESSION_TENANT, type Statement } from './statement.ts'

const own = leadingKeys(SESSION_TENANT)

export const callerRole = (fn: 'introspect' | 'admin', place: Place, says: string): Role =>
  functionRole({
    fn,
    place,
    says,
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'sqs:*'],
    statements: [
      ...tenantSessionsOnly(fn),
      allow('OrderRevocations', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'revoke')] }),
      allow('ReportDenials', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'denials')] }),
      deny('NeverAct', {
        actions: ['kms:*', 'iam:*', 'lambda:*', 'secretsmanager:*', 'dynamodb:*'],
        resources: ['*'],
      }),
    ],
  })

/** That a proof of possession was shown, in rows that mint does not read. Read where the answer to a put was lost. */
export const spendProofs: Statement = allow('SpendProofs', {
  actions: ['dynamodb:PutItem', 'dynamodb:GetItem'],
  resources: [CORE_TABLE_ARN],
  when: onRows(own.callerProofs),
})

/** The record of a credential, everything it can be revoked by, the key that signed it, and whose document allowed it. */
export const readTokens: Statement = allow('ReadTokens', {
  actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
  resources: [CORE_TABLE_ARN],
  when: onRows(own.config, own.grants, own.decisions, own.revocations, own.revocationVersion, own.signingKeys),
})
