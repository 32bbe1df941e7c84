// feed signs pages of the revocation feed for discovery, and SETs for push and poll. It alone opens keys of use `signal`, and can neither revoke nor mint:
// what it could do if it were taken over is say false things to offline verifiers of tenants.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, KEYS, type Place } from '../names.ts'
import { FEED_SECRET, proveOwnKeys } from './mint.ts'
import { dataRole, functionRole, neverErase, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import { allow, deny, keyContext, onRows, ownSiloKey, SESSION_TENANT, type Text } from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

export const feedRole = (place: Place): Role =>
  functionRole({
    fn: 'feed',
    place,
    says: 'Signs pages of the revocation feed and SETs. Cannot revoke.',
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:*'],
    statements: [
      ...tenantSessionsOnly('feed'),
      // A page says when it was signed: by a wrong clock it would be believed for longer than it is true.
      allow('ReadClockMark', {
        actions: ['dynamodb:GetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.clockMark),
      }),
      deny('NeverAct', { actions: ['iam:*', 'lambda:*', 'sqs:*', 'secretsmanager:*'], resources: ['*'] }),
      noDirectKms,
    ],
  })

/** `poolKey`: ARN of the key that wraps the tenants' own keys. */
export const feedDataRole = (poolKey: Text): Role =>
  dataRole('feed', 'One tenant: reads its revocations, opens its signal keys.', [
    allow('ReadChanges', {
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
      resources: [CORE_TABLE_ARN],
      when: onRows(
        own.config,
        own.revocations,
        own.revocationVersion,
        own.revocationChanges,
        own.signingKeys,
        own.feedSecret,
      ),
    }),
    proveOwnKeys,
    neverErase,
    {
      ...allow('OpenSignalKeys', {
        actions: ['kms:Decrypt'],
        when: keyContext(SESSION_TENANT, ['signal', FEED_SECRET]),
      }),
      Resource: [poolKey],
    },
    allow('SignWithSiloKey', {
      actions: ['kms:Sign', 'kms:GetPublicKey'],
      resources: [KEYS],
      when: ownSiloKey('signal'),
    }),
  ])
