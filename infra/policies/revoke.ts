// revoke denies: it writes revocations and hangs generated deny texts on workload roles. It cannot use a role or a key, and
// cannot take back what it denied.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import {
  boundaryArn,
  CORE_TABLE_ARN,
  DENY_POLICIES,
  dataRoleArn,
  type Place,
  queueArn,
  workloadRoles,
} from '../names.ts'
import { dataRole, functionRole, neverErase, noDirectKms, openTenantSession, type Role } from './role.ts'
import { allow, deny, onRows, SESSION_TENANT, text } from './statement.ts'

const own = leadingKeys(SESSION_TENANT)

export const revokeRole = (place: Place): Role =>
  functionRole({
    fn: 'revoke',
    place,
    says: 'Carries out revocation orders. Can deny, not use.',
    isIsolated: false,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'iam:*', 'dynamodb:*'],
    statements: [
      openTenantSession('revoke'),
      allow('PollQueue', {
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [queueArn(place, 'revoke')],
      }),
      allow('Quarantine', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'revoke-dlq')] }),
      // Ready-made texts only: what a policy says cannot be fenced when it is put, which policy is attached can.
      allow('AttachDenyText', {
        actions: ['iam:AttachRolePolicy'],
        resources: [workloadRoles()],
        when: {
          ArnEquals: { 'iam:PermissionsBoundary': text(boundaryArn()) },
          ArnLike: { 'iam:PolicyARN': text(DENY_POLICIES) },
        },
      }),
      deny('NeverUndo', {
        actions: [
          'iam:Delete*',
          'iam:Detach*',
          'iam:Create*',
          'iam:Update*',
          'iam:Put*',
          'iam:SetDefaultPolicyVersion',
          'iam:PassRole',
        ],
        resources: ['*'],
      }),
      deny('NeverUse', { actions: ['lambda:InvokeFunction', 'secretsmanager:*'], resources: ['*'] }),
      noDirectKms,
      deny('NoOtherRoles', {
        actions: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
        notResources: [dataRoleArn('revoke')],
      }),
    ],
  })

export const revokeDataRole: Role = dataRole('revoke', 'One tenant: writes its revocations.', [
  allow('WriteRevocations', {
    actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.revocations, own.revocationVersion, own.appliedOrders),
  }),
  allow('ReadRevocations', {
    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.revocations, own.revocationVersion, own.appliedOrders),
  }),
  neverErase,
  noDirectKms,
])
