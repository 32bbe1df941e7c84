// The provisioner makes workload roles: the service role with which CloudFormation deploys tenant stacks. It
// can make nothing without the boundary, and can use nothing that it made.
import {
  BOUNDARY_PATH,
  boundaryArn,
  DATA_PATH,
  DENY_POLICIES,
  denyAllArn,
  FUNCTION_PATH,
  PEOPLE_PATH,
  TENANT_TAG,
  workloadRoles,
} from '../names.ts'
import type { Role } from './role.ts'
import { all, allow, deny, onlyTags, text } from './statement.ts'

const OIDC_PROVIDERS = 'arn:${AWS::Partition}:iam::${AWS::AccountId}:oidc-provider/*'

const bounded = { ArnEquals: { 'iam:PermissionsBoundary': text(boundaryArn()) } }
const namesTenant = { Null: { [`aws:RequestTag/${TENANT_TAG}`]: 'false' } }

export const provisionerRole: Role = {
  name: 'mintmark-provisioner',
  path: PEOPLE_PATH,
  says: 'Deploys tenant stacks. Makes bounded roles, and cannot use them.',
  trust: [
    allow('TenantStacks', {
      principal: { Service: 'cloudformation.amazonaws.com' },
      actions: ['sts:AssumeRole'],
      when: {
        StringEquals: { 'aws:SourceAccount': text('${AWS::AccountId}') },
        ArnLike: {
          'aws:SourceArn': text(
            'arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/mintmark-tenants-*/*',
          ),
        },
      },
    }),
  ],
  statements: [
    allow('CreateOnlyBounded', {
      actions: ['iam:CreateRole', 'iam:PutRolePermissionsBoundary'],
      resources: [workloadRoles()],
      when: bounded,
    }),
    allow('ChangeBoundedRoles', {
      actions: ['iam:UpdateAssumeRolePolicy', 'iam:DeleteRole'],
      resources: [workloadRoles()],
      when: bounded,
    }),
    allow('ReadRoles', {
      actions: [
        'iam:GetRole',
        'iam:ListRolePolicies',
        'iam:ListAttachedRolePolicies',
        'iam:GetRolePolicy',
        'iam:ListRoleTags',
      ],
      resources: [workloadRoles()],
    }),
    allow('TagWithTenant', {
      actions: ['iam:TagRole'],
      resources: [workloadRoles()],
      when: all(onlyTags(TENANT_TAG), namesTenant),
    }),
    allow('AttachDenyText', {
      actions: ['iam:AttachRolePolicy'],
      resources: [workloadRoles()],
      when: { ArnEquals: { ...bounded.ArnEquals, 'iam:PolicyARN': text(denyAllArn()) } },
    }),
    allow('RegisterTenantIssuers', {
      actions: [
        'iam:CreateOpenIDConnectProvider',
        'iam:GetOpenIDConnectProvider',
        'iam:TagOpenIDConnectProvider',
        'iam:AddClientIDToOpenIDConnectProvider',
      ],
      resources: [OIDC_PROVIDERS],
    }),
    deny('NeverUnbound', { actions: ['iam:DeleteRolePermissionsBoundary', 'iam:UntagRole'], resources: ['*'] }),
    deny('NeverUndeny', {
      actions: ['iam:DetachRolePolicy'],
      resources: ['*'],
      when: { ArnLike: { 'iam:PolicyARN': text(DENY_POLICIES) } },
    }),
    deny('NeverRetag', {
      actions: ['iam:TagRole'],
      resources: [workloadRoles()],
      when: {
        Null: { [`iam:ResourceTag/${TENANT_TAG}`]: 'false' },
        StringNotEquals: { [`aws:RequestTag/${TENANT_TAG}`]: text(`\${!iam:ResourceTag/${TENANT_TAG}}`) },
      },
    }),
    deny('NeverTouchFences', {
      actions: ['iam:*'],
      resources: [
        `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:policy${BOUNDARY_PATH}*`,
        `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role${FUNCTION_PATH}*`,
        `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role${DATA_PATH}*`,
        `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role${PEOPLE_PATH}mintmark-*`,
      ],
    }),
    deny('NeverUseWhatItMakes', {
      actions: ['sts:AssumeRole', 'sts:TagSession', 'kms:*', 'dynamodb:*', 'lambda:InvokeFunction'],
      resources: ['*'],
    }),
  ],
}
