// checkpoint signs the tenants' logs and gives what it signed to the locked bucket, and signs for deliver what webhooks are sent. It
// alone opens keys of use `log`, and cannot append: what it could do if it were taken over is sign a tree that nobody wrote, which no
// longer fits what is anchored. Whoever may ask it for a signature of a webhook can have no checkpoint signed: it gives no text but a
// URL, which must be in the tenant's document, and a digest, and what is made of these begins as no note does
// (lib/wire/message-signature.ts).
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { anchoredCheckpointsOf, CORE_TABLE_ARN, KEYS, LOG_TABLE_ARN, type Place, queueArn } from '../names.ts'
import { proveOwnKeys } from './mint.ts'
import {
  dataRole,
  functionRole,
  keepWhatFailed,
  neverErase,
  noDirectKms,
  type Role,
  tenantSessionsOnly,
} from './role.ts'
import { allow, deny, keyContext, onRows, ownSiloKey, SESSION_TENANT, type Text } from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

export const checkpointRole = (place: Place): Role =>
  functionRole({
    fn: 'checkpoint',
    place,
    says: 'Signs the tenants logs and requests to webhooks. Cannot append.',
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:*'],
    statements: [
      ...tenantSessionsOnly('checkpoint'),
      // Which logs have grown, and how far all is signed and anchored.
      allow('KeepList', {
        actions: ['dynamodb:Query', 'dynamodb:UpdateItem'],
        resources: [LOG_TABLE_ARN],
        when: onRows(shared.logList),
      }),
      keepWhatFailed(queueArn(place, 'checkpoint-dlq')),
      deny('NeverAct', { actions: ['iam:*', 'lambda:*', 'secretsmanager:*', 's3:*'], resources: ['*'] }),
      noDirectKms,
    ],
  })

/** `poolKey`: ARN of the key that wraps the tenants' own keys. */
export const checkpointDataRole = (poolKey: Text): Role =>
  dataRole('checkpoint', 'One tenant: signs its log and its webhooks, opens its log keys.', [
    // Neither events nor salts.
    allow('ReadTree', {
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
      resources: [LOG_TABLE_ARN],
      when: onRows(own.logHead, own.publicLog, own.logCheckpoints),
    }),
    allow('PutCheckpoints', {
      actions: ['dynamodb:PutItem'],
      resources: [LOG_TABLE_ARN],
      when: onRows(own.logCheckpoints),
    }),
    // Which webhooks there are.
    allow('ReadDocument', {
      actions: ['dynamodb:GetItem'],
      resources: [CORE_TABLE_ARN],
      when: onRows(own.config),
    }),
    allow('ReadKeys', {
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [CORE_TABLE_ARN],
      when: onRows(own.signingKeys),
    }),
    proveOwnKeys,
    neverErase,
    {
      ...allow('OpenLogKeys', { actions: ['kms:Decrypt'], when: keyContext(SESSION_TENANT, 'log') }),
      Resource: [poolKey],
    },
    allow('SignWithSiloKey', {
      actions: ['kms:Sign', 'kms:GetPublicKey'],
      resources: [KEYS],
      when: ownSiloKey('log'),
    }),
    // Only where nothing is: S3 asks for the header, so that a checkpoint of a size is put there once.
    allow('Anchor', {
      actions: ['s3:PutObject'],
      resources: [anchoredCheckpointsOf(SESSION_TENANT)],
      when: { Null: { 's3:if-none-match': 'false' } },
    }),
    allow('ReadAnchored', { actions: ['s3:GetObject'], resources: [anchoredCheckpointsOf(SESSION_TENANT)] }),
  ])
