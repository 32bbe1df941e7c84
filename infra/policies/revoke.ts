// revoke denies: it writes revocations, and makes deny texts and hangs them on the tenant's workload roles. It cannot use a role
// or a key, and cannot take back what it denied.
import { leadingKeys } from '../../lib/adapters/aws/table-keys.ts'
import {
  boundaryArn,
  CORE_TABLE_ARN,
  denyAllArn,
  denyTextsOf,
  LOG_TABLE_ARN,
  type Place,
  queueArn,
  workloadRolesOf,
} from '../names.ts'
import { readSenderSecrets } from './events.ts'
import { dataRole, functionRole, neverErase, noDirectKms, type Role, tenantSessionsOnly } from './role.ts'
import { allow, deny, onRows, SESSION_TENANT, text } from './statement.ts'

const shared = leadingKeys('*')
const own = leadingKeys(SESSION_TENANT)

export const revokeRole = (place: Place): Role =>
  functionRole({
    fn: 'revoke',
    place,
    says: 'Carries out revocation orders. Can deny, not use.',
    isIsolated: false,
    onlyInside: ['sts:AssumeRole', 'sts:TagSession', 'dynamodb:*'],
    statements: [
      ...tenantSessionsOnly('revoke'),
      allow('PollQueue', {
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [queueArn(place, 'revoke')],
      }),
      allow('WakePush', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'push')] }),
      allow('Quarantine', { actions: ['sqs:SendMessage'], resources: [queueArn(place, 'revoke-dlq')] }),
      // By them it judges again what a transmitter signed.
      allow('ReadKeySets', {
        actions: ['dynamodb:GetItem'],
        resources: [CORE_TABLE_ARN],
        when: onRows(shared.issuerKeySets),
      }),
      // Roles are denied on with a tenant's session alone.
      deny('NoDirectIam', { actions: ['iam:*'], resources: ['*'] }),
      deny('NeverUse', { actions: ['lambda:InvokeFunction', 'secretsmanager:*'], resources: ['*'] }),
      noDirectKms,
    ],
  })

const bounded = { 'iam:PermissionsBoundary': text(boundaryArn()) }

export const revokeDataRole: Role = dataRole('revoke', 'One tenant: writes its revocations, denies on its roles.', [
  allow('WriteRevocations', {
    actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
    resources: [CORE_TABLE_ARN],
    when: onRows(own.revocations, own.revocationVersion, own.revocationChanges, own.appliedOrders),
  }),
  // What is in force; which roles the tenant's grants issue, whose session a piece of evidence became, and whether the token behind
  // an order is ours. In one statement, since one request asks for several of these rows.
  allow('ReadTenantRows', {
    actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
    resources: [CORE_TABLE_ARN],
    when: onRows(
      own.config,
      own.grants,
      own.decisions,
      own.revocations,
      own.revocationVersion,
      own.revocationChanges,
      own.appliedOrders,
      own.signingKeys,
    ),
  }),
  // The order that a replay became is judged by the record of it, which is a denial.
  allow('ReadDenials', {
    actions: ['dynamodb:GetItem'],
    resources: [LOG_TABLE_ARN],
    when: onRows(own.logDenials),
  }),
  // The order that an event became is judged by it once more.
  readSenderSecrets,
  // IAM cannot see what a text says. It sees that a text is new (there is no right to a second version) and lies below the tenant;
  // one that allowed something would allow it to the tenant's own workloads, within their boundary, and to nobody here.
  allow('MakeDenyText', { actions: ['iam:CreatePolicy'], resources: [denyTextsOf(SESSION_TENANT)] }),
  allow('AttachDenyText', {
    actions: ['iam:AttachRolePolicy'],
    resources: [workloadRolesOf(SESSION_TENANT)],
    when: {
      ArnEquals: bounded,
      ArnLike: { 'iam:PolicyARN': [denyTextsOf(SESSION_TENANT), denyAllArn()].map(text) },
    },
  }),
  allow('CountDenyTexts', {
    actions: ['iam:ListAttachedRolePolicies'],
    resources: [workloadRolesOf(SESSION_TENANT)],
  }),
  deny('NeverUndo', {
    actions: [
      'iam:Delete*',
      'iam:Detach*',
      'iam:Update*',
      'iam:Put*',
      'iam:CreateRole',
      'iam:CreatePolicyVersion',
      'iam:SetDefaultPolicyVersion',
      'iam:PassRole',
    ],
    resources: ['*'],
  }),
  neverErase,
  noDirectKms,
])
