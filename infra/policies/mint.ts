// mint signs and assumes roles. Its own credentials reach no tenant's rows and no key: for each exchange it opens a session
// of its data role that is tagged with the tenant, and what that session may do is written in the tag.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import { CORE_TABLE_ARN, KEYS, type Place, TENANT_TAG, workloadRoles } from '../names.ts'
import { dataRole, functionRole, neverErase, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import {
  all,
  allow,
  deny,
  keyContext,
  onlyAttributes,
  onlyTags,
  onRows,
  ownSiloKey,
  SESSION_TENANT,
  type Statement,
  type Text,
  text,
} from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

/**
 * The activation row (design §2): that a private half was opened. Of a key no more than that: who opens keys of one use neither
 * makes one of another, nor says what its public half is.
 */
export const proveOwnKeys: Statement = allow('ProveOwnKeys', {
  actions: ['dynamodb:UpdateItem'],
  resources: [CORE_TABLE_ARN],
  when: all(onRows(own.signingKeys), onlyAttributes('pk', 'sk', 'provenAt', 'w')),
})

/** Tags of a workload's session; the tenant's is transitive, so that no role further on can take it off. */
const SESSION_TAGS = [TENANT_TAG, 'mintmark-run', 'mintmark-sub'] as const
/** `use` of what wraps the secret behind revocation handles. */
export const FEED_SECRET = 'feed-secret'
const ROLE_TENANT = `\${!iam:ResourceTag/${TENANT_TAG}}`

/** Tags of ours alone, and the tenant's for good. */
const workloadSession = all(onlyTags(...SESSION_TAGS), {
  'ForAnyValue:StringEquals': { 'sts:TransitiveTagKeys': TENANT_TAG },
  Null: { [`aws:RequestTag/${TENANT_TAG}`]: 'false' },
})

export const mintRole = (place: Place): Role =>
  functionRole({
    fn: 'mint',
    place,
    says: 'Verifies evidence again, records, signs. Has no route in.',
    isIsolated: true,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity', 'dynamodb:*'],
    statements: [
      ...tenantSessionsOnly('mint', workloadRoles('*')),
      // The fallback of web identity. The external id is the role's to ask for, or its refusal without one would prove
      // nothing (lib/adapters/aws/sts-assumed-role.ts).
      allow('AssumeOwnWorkloadRole', {
        actions: ['sts:AssumeRole'],
        resources: [workloadRoles()],
        when: all(workloadSession, {
          StringEquals: { [`aws:RequestTag/${TENANT_TAG}`]: text(ROLE_TENANT) },
          StringLike: { 'sts:RoleSessionName': 'mintmark-*', 'sts:SourceIdentity': text(`${ROLE_TENANT}.*`) },
        }),
      }),
      // In another account the tags of the role are not seen from here: path, trust and external id are its fence.
      allow('AssumeWorkloadRole', {
        actions: ['sts:AssumeRole'],
        resources: [workloadRoles('*')],
        when: all(workloadSession, {
          StringNotEquals: { 'aws:ResourceAccount': text('${AWS::AccountId}') },
          StringLike: { 'sts:RoleSessionName': 'mintmark-*', 'sts:SourceIdentity': '*.*' },
        }),
      }),
      allow('TagWorkloadSession', {
        actions: ['sts:TagSession'],
        resources: [workloadRoles('*')],
        when: all(onlyTags(...SESSION_TAGS), { Null: { [`aws:RequestTag/${TENANT_TAG}`]: 'false' } }),
      }),
      allow('NameSource', {
        actions: ['sts:SetSourceIdentity'],
        resources: [workloadRoles('*')],
        when: { StringLike: { 'sts:SourceIdentity': '*.*' } },
      }),
      allow('ReadSharedRows', {
        actions: ['dynamodb:GetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.issuerKeySets, shared.clockMark),
      }),
      allow('RaiseClockMark', {
        actions: ['dynamodb:UpdateItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.clockMark),
      }),
      deny('NeverConfigure', { actions: ['iam:*', 'lambda:*', 'sqs:*'], resources: ['*'] }),
      noDirectKms,
    ],
  })

/** `poolKey`: ARN of the key that wraps the tenants' own keys. */
export const mintDataRole = (poolKey: Text): Role =>
  dataRole('mint', 'One tenant: records grants, reads what decides, opens signing keys.', [
    // IAM cannot ask for a condition expression: that a grant is never overwritten is watched on the stream (audit, alarm record_tampered).
    allow('AppendRecords', {
      actions: ['dynamodb:PutItem'],
      resources: [CORE_TABLE_ARN],
      when: onRows(own.grants, own.decisions, own.proofs, own.feedSecret),
    }),
    allow('ReadTenantRows', {
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
      resources: [CORE_TABLE_ARN],
      when: onRows(own.config, own.grants, own.revocations, own.revocationVersion, own.signingKeys, own.feedSecret),
    }),
    proveOwnKeys,
    neverErase,
    {
      ...allow('OpenTenantKeys', {
        actions: ['kms:Decrypt'],
        when: keyContext(SESSION_TENANT, ['token', FEED_SECRET]),
      }),
      Resource: [poolKey],
    },
    {
      ...allow('SealFeedSecret', { actions: ['kms:Encrypt'], when: keyContext(SESSION_TENANT, FEED_SECRET) }),
      Resource: [poolKey],
    },
    // Silo: the key never leaves KMS, and its tags say whose it is and what for.
    allow('SignWithSiloKey', {
      actions: ['kms:Sign', 'kms:GetPublicKey'],
      resources: [KEYS],
      when: ownSiloKey('token'),
    }),
  ])
