// rotate moves each tenant's keys on. It has pairs made without seeing the private half, and asks mint to prove them.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, dataRoleArn, functionArn, type Place } from '../names.ts'
import { dataRole, functionRole, neverErase, noDirectKms, openTenantSession, type Role } from './role.ts'
import { allow, deny, keyContext, onRows, SESSION_TENANT, type Text } from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

export const rotateRole = (place: Place): Role =>
  functionRole({
    fn: 'rotate',
    place,
    says: 'Moves the keys of tenants on. Never sees a private half.',
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:*', 'lambda:*'],
    statements: [
      openTenantSession('rotate'),
      allow('ListTenants', {
        actions: ['dynamodb:Query'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.tenantList),
      }),
      allow('AskMintToProve', { actions: ['lambda:InvokeFunction'], resources: [functionArn(place, 'mint')] }),
      deny('NeverAct', { actions: ['iam:*', 'secretsmanager:*'], resources: ['*'] }),
      noDirectKms,
      deny('NoOtherRoles', {
        actions: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
        notResources: [dataRoleArn('rotate')],
      }),
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
        when: keyContext(SESSION_TENANT, 'token'),
      }),
      Resource: [poolKey],
    },
    deny('NeverSee', {
      actions: ['kms:Decrypt', 'kms:GenerateDataKeyPair', 'kms:ReEncryptFrom', 'kms:CreateGrant'],
      resources: ['*'],
      when: { Null: { 'kms:ViaService': 'true' } },
    }),
  ])
