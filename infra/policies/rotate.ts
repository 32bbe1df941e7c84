// rotate moves each tenant's keys on. It has pairs made without seeing the private half, and asks the owner of
// its use, mint, feed or checkpoint, to prove it.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, KEYS, type Place, queueArn, requestArn, TENANT_TAG } from '../names.ts'
import {
  dataRole,
  functionRole,
  keepWhatFailed,
  neverErase,
  noDirectKms,
  type Role,
  tenantSessionsOnly,
} from './role.ts'
import {
  all,
  allow,
  type Condition,
  deny,
  keyContext,
  onlyTags,
  onRows,
  ownSiloKey,
  SESSION_TENANT,
  type Text,
  text,
} from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

const MADE_USES = ['token', 'signal', 'log'] as const

/** Tags a silo key is made with: whose it is, and what for. */
const siloTags: Condition = all(onlyTags(TENANT_TAG, 'mintmark-use'), {
  StringEquals: { [`aws:RequestTag/${TENANT_TAG}`]: text(SESSION_TENANT), 'aws:RequestTag/mintmark-use': MADE_USES },
})

export const rotateRole = (place: Place): Role =>
  functionRole({
    fn: 'rotate',
    place,
    says: 'Moves the keys of tenants on. Never sees a private half.',
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:*', 'lambda:*'],
    statements: [
      ...tenantSessionsOnly('rotate'),
      allow('ListTenants', {
        actions: ['dynamodb:Query'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.tenantList),
      }),
      // Which of them are tombstoned.
      allow('ReadTenants', {
        actions: ['dynamodb:BatchGetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.config),
      }),
      // Keys move by the clock, so a wrong one must not move them.
      allow('ReadClockMark', {
        actions: ['dynamodb:GetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.clockMark),
      }),
      // Each owner of a use proves its own.
      allow('AskOwnersToProve', {
        actions: ['lambda:InvokeFunction'],
        resources: [
          requestArn(place, 'mint', 'activate'),
          requestArn(place, 'feed', 'activate'),
          requestArn(place, 'checkpoint', 'activate'),
        ],
      }),
      keepWhatFailed(queueArn(place, 'rotate-dlq')),
      deny('NeverAct', { actions: ['iam:*', 'secretsmanager:*'], resources: ['*'] }),
      noDirectKms,
    ],
  })

export const rotateDataRole = (poolKey: Text): Role =>
  dataRole('rotate', 'One tenant: makes and moves its keys.', [
    allow('MoveKeys', {
      actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
      resources: [CORE_TABLE_ARN],
      when: onRows(own.signingKeys),
    }),
    allow('ReadKeysAndConfiguration', {
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [CORE_TABLE_ARN],
      when: onRows(own.signingKeys, own.config),
    }),
    neverErase,
    {
      ...allow('MakePairUnseen', {
        actions: ['kms:GenerateDataKeyPairWithoutPlaintext'],
        when: keyContext(SESSION_TENANT, MADE_USES),
      }),
      Resource: [poolKey],
    },
    // Silo: a key that never leaves KMS. CreateKey has no resource to name: the tags it must carry are the fence.
    allow('MakeSiloKey', {
      actions: ['kms:CreateKey'],
      resources: ['*'],
      when: all(siloTags, { StringLike: { 'kms:KeyUsage': 'SIGN_VERIFY' } }),
    }),
    // Only while the key is nobody's, as it is being made: who tags another tenant's key takes it.
    allow('TagSiloKey', {
      actions: ['kms:TagResource'],
      resources: [KEYS],
      when: all(siloTags, { Null: { [`aws:ResourceTag/${TENANT_TAG}`]: 'true' } }),
    }),
    allow('ReadSiloKey', { actions: ['kms:GetPublicKey'], resources: [KEYS], when: ownSiloKey(...MADE_USES) }),
    deny('NeverSee', {
      actions: ['kms:Decrypt', 'kms:GenerateDataKeyPair', 'kms:ReEncryptFrom', 'kms:CreateGrant'],
      resources: ['*'],
      when: { Null: { 'kms:ViaService': 'true' } },
    }),
  ])
