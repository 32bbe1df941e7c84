// What a workload's role can never exceed: one boundary for all tenants, written in the tenant's session tag; and the texts
// revoke may hang on such a role. A boundary only filters: the role's own policy must still allow.
import { DENY_ALL_NAME, DENY_PATH } from '../../lib/domain/aws-session.ts'
import { BOUNDARY_NAME, BOUNDARY_PATH, TENANT_TAG } from '../names.ts'
import { allow, deny, onRows, type PolicyDocument, policy, SESSION_TENANT, text } from './statement.ts'

/** Buckets and tables that tenants share, by name; each tenant has its prefix. */
const SHARED_BUCKETS = 'arn:${AWS::Partition}:s3:::mintmark-shared-*'
const SHARED_TABLES = 'arn:${AWS::Partition}:dynamodb:*:${AWS::AccountId}:table/mintmark-app-*'

const resourceTenant = `aws:ResourceTag/${TENANT_TAG}`
const sessionTenant = `aws:PrincipalTag/${TENANT_TAG}`

export const workloadBoundary: PolicyDocument = policy([
  allow('OwnTaggedResources', {
    actions: [
      's3:GetObject',
      's3:PutObject',
      's3:ListBucket',
      'sqs:SendMessage',
      'sns:Publish',
      'secretsmanager:GetSecretValue',
      'ssm:GetParameter',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'lambda:InvokeFunction',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'dynamodb:Query',
      'ecr:BatchGetImage',
      'ecr:PutImage',
      'ecs:UpdateService',
    ],
    resources: ['*'],
    when: { StringEquals: { [resourceTenant]: text(SESSION_TENANT) } },
  }),
  // S3 shows no tags of an object unless the bucket uses ABAC: there the prefix is the fence.
  allow('OwnPrefix', {
    actions: ['s3:GetObject', 's3:PutObject'],
    resources: [`${SHARED_BUCKETS}/${SESSION_TENANT}/*`],
  }),
  allow('OwnRows', {
    actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query'],
    resources: [SHARED_TABLES],
    when: onRows(SESSION_TENANT, `${SESSION_TENANT}#*`),
  }),
  // Explicit: a resource policy that names the session grants past a boundary that merely does not allow.
  deny('NotWithoutTenant', { actions: ['*'], resources: ['*'], when: { Null: { [sessionTenant]: 'true' } } }),
  deny('NotWithoutSource', {
    actions: ['*'],
    resources: ['*'],
    when: { Null: { 'aws:SourceIdentity': 'true' } },
  }),
  deny('NotOfAnotherTenant', {
    actions: ['*'],
    resources: ['*'],
    when: {
      Null: { [resourceTenant]: 'false' },
      StringNotEquals: { [resourceTenant]: text(SESSION_TENANT) },
    },
  }),
  deny('NeverEscalate', {
    actions: [
      'iam:*',
      'organizations:*',
      'account:*',
      'sts:AssumeRole',
      'sts:AssumeRoleWithWebIdentity',
      'sts:GetFederationToken',
      'sts:TagSession',
      'kms:PutKeyPolicy',
      'kms:CreateGrant',
      'kms:ScheduleKeyDeletion',
      'lambda:AddPermission',
      'lambda:UpdateFunctionCode',
      's3:PutBucketPolicy',
      'dynamodb:PutResourcePolicy',
    ],
    resources: ['*'],
  }),
])

/** The kill switch: whatever else is attached, a role with this text can do nothing, its live sessions included. */
export const denyAll: PolicyDocument = policy([deny('Revoked', { actions: ['*'], resources: ['*'] })])

/** Trust of a removed tenant's role: nobody, whatever else is said. */
export const closedTrust: PolicyDocument = policy([
  deny('Removed', {
    principal: '*',
    actions: ['sts:AssumeRole', 'sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'],
  }),
])

const managed = (name: string, path: string, says: string, document: PolicyDocument) => ({
  Type: 'AWS::IAM::ManagedPolicy',
  DeletionPolicy: 'Retain',
  UpdateReplacePolicy: 'Retain',
  Properties: { ManagedPolicyName: name, Path: path, Description: says, PolicyDocument: document },
})

/** Goes into every account that holds workload roles, the broker's and the tenants' own. */
export const workloadPolicies = () => ({
  WorkloadBoundary: managed(
    BOUNDARY_NAME,
    BOUNDARY_PATH,
    'What no workload role can exceed, whatever its own policies say.',
    workloadBoundary,
  ),
  DenyAllPolicy: managed(DENY_ALL_NAME, DENY_PATH, 'Attached to a role that was revoked.', denyAll),
})
