// A small cloud in the shape of ours, with two tenants, for the emulator's own tests. Written by hand: the fences that are
// deployed are proved elsewhere, from the packaged template.
import { type Cloud, document, emptyCloud, type PolicyDocument, type Role, type Statement } from './cloud.ts'
import { roleId } from './template-values.ts'

export const ACCOUNT = '111122223333'
export const TENANT_ACCOUNT = '444455556666'
export const REGION = 'eu-west-1'
export const POOL_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/11111111-2222-4333-8444-555555555555`
export const SILO_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/99999999-2222-4333-8444-555555555555`
export const CORE_TABLE = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/mintmark-core`
export const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:mintmark-prod-revoke`
export const MINT_ROLE = `arn:aws:iam::${ACCOUNT}:role/mintmark/fn/mintmark-mint`
export const DATA_ROLE = `arn:aws:iam::${ACCOUNT}:role/mintmark/data/mintmark-data-mint`
export const REVOKE_ROLE = `arn:aws:iam::${ACCOUNT}:role/mintmark/fn/mintmark-revoke`
export const BOUNDARY = `arn:aws:iam::${ACCOUNT}:policy/mintmark/boundary/mintmark-workload`
export const DENY_ALL = `arn:aws:iam::${ACCOUNT}:policy/mintmark/deny/mintmark-deny-all`
export const EXTERNAL_ID = 'mintmark-acme-7c1f00d2'
export const ISSUER = 'https://sts.example.com/t/acme'
export const PROVIDER = `arn:aws:iam::${TENANT_ACCOUNT}:oidc-provider/sts.example.com/t/acme`
/** In the broker's account, for AssumeRole. */
export const ACME_ROLE = `arn:aws:iam::${ACCOUNT}:role/mintmark/t/acme/mintmark-acme-deployer`
export const GLOBEX_ROLE = `arn:aws:iam::${ACCOUNT}:role/mintmark/t/globex/mintmark-globex-deployer`
/** In the tenant's account, for web identity. */
export const WEB_ROLE = `arn:aws:iam::${TENANT_ACCOUNT}:role/mintmark/t/acme/deployer`

const TAG = 'mintmark-tenant'
const SESSION_TENANT = `\${aws:PrincipalTag/${TAG}}`

const role = (
  arn: string,
  trust: PolicyDocument,
  statements: readonly Statement[],
  more: Partial<Role> = {},
): Role => ({
  arn,
  roleId: roleId(arn),
  tags: {},
  maxSessionSeconds: 3600,
  trust,
  inline: { own: document(...statements) },
  attached: [],
  ...more,
})

const onRows = (...partitions: readonly string[]) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions },
  Null: { 'dynamodb:LeadingKeys': 'false' },
})

const BY_LAMBDA = document({
  Effect: 'Allow',
  Principal: { Service: 'lambda.amazonaws.com' },
  Action: 'sts:AssumeRole',
})
const ROOT = { AWS: `arn:aws:iam::${ACCOUNT}:root` }
const BY_MINT = { ArnEquals: { 'aws:PrincipalArn': MINT_ROLE } }

const mint = role(MINT_ROLE, BY_LAMBDA, [
  {
    Sid: 'OpenTenantSession',
    Effect: 'Allow',
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Resource: DATA_ROLE,
    Condition: { Null: { [`aws:RequestTag/${TAG}`]: 'false' }, 'ForAllValues:StringEquals': { 'aws:TagKeys': [TAG] } },
  },
  {
    Sid: 'AssumeWorkloadRole',
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Resource: 'arn:aws:iam::*:role/mintmark/t/*',
    Condition: {
      StringEquals: { [`aws:RequestTag/${TAG}`]: `\${iam:ResourceTag/${TAG}}` },
      StringLike: { 'sts:RoleSessionName': 'mintmark-*', 'sts:SourceIdentity': `\${iam:ResourceTag/${TAG}}.*` },
      'ForAnyValue:StringEquals': { 'sts:TransitiveTagKeys': TAG },
    },
  },
  {
    Sid: 'TagAndName',
    Effect: 'Allow',
    Action: ['sts:TagSession', 'sts:SetSourceIdentity'],
    Resource: 'arn:aws:iam::*:role/mintmark/t/*',
  },
  { Sid: 'SignWithSiloKey', Effect: 'Allow', Action: ['kms:Sign', 'kms:GetPublicKey'], Resource: SILO_KEY },
  {
    Sid: 'AskTrust',
    Effect: 'Allow',
    Action: 'lambda:InvokeFunction',
    Resource: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:mintmark-prod-trust`,
  },
  {
    Sid: 'OnlyFromThisFunction',
    Effect: 'Deny',
    Action: ['sts:AssumeRole', 'kms:*'],
    Resource: '*',
    Condition: {
      ArnNotLike: { 'lambda:SourceFunctionArn': `arn:aws:lambda:${REGION}:${ACCOUNT}:function:mintmark-*-mint` },
    },
  },
])

const dataMint = role(
  DATA_ROLE,
  document({
    Sid: 'OwnFunctionForOneTenant',
    Effect: 'Allow',
    Principal: ROOT,
    Action: ['sts:AssumeRole', 'sts:TagSession'],
    Condition: { ...BY_MINT, Null: { [`aws:RequestTag/${TAG}`]: 'false' } },
  }),
  [
    {
      Sid: 'AppendRecords',
      Effect: 'Allow',
      Action: ['dynamodb:PutItem', 'dynamodb:ConditionCheckItem'],
      Resource: CORE_TABLE,
      Condition: onRows(`T#${SESSION_TENANT}#G#*`),
    },
    {
      Sid: 'ReadTenantRows',
      Effect: 'Allow',
      Action: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
      Resource: CORE_TABLE,
      Condition: onRows(`T#${SESSION_TENANT}#*`),
    },
    {
      Sid: 'OpenTenantKeys',
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKeyPairWithoutPlaintext', 'kms:DescribeKey'],
      Resource: POOL_KEY,
      Condition: {
        StringEquals: { 'kms:EncryptionContext:tenant': SESSION_TENANT, 'kms:EncryptionContext:use': 'token' },
      },
    },
  ],
)

const revoke = role(REVOKE_ROLE, BY_LAMBDA, [
  {
    Sid: 'PutDenyText',
    Effect: 'Allow',
    Action: ['iam:PutRolePolicy'],
    Resource: `arn:aws:iam::${ACCOUNT}:role/mintmark/t/*`,
    Condition: { ArnEquals: { 'iam:PermissionsBoundary': BOUNDARY } },
  },
  {
    Sid: 'ReadDenyText',
    Effect: 'Allow',
    Action: 'iam:GetRolePolicy',
    Resource: `arn:aws:iam::${ACCOUNT}:role/mintmark/t/*`,
  },
  {
    Sid: 'AttachDenyText',
    Effect: 'Allow',
    Action: 'iam:AttachRolePolicy',
    Resource: `arn:aws:iam::${ACCOUNT}:role/mintmark/t/*`,
    Condition: { ArnEquals: { 'iam:PolicyARN': DENY_ALL } },
  },
  {
    Sid: 'PollQueue',
    Effect: 'Allow',
    Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    Resource: QUEUE,
  },
])

const workload = (arn: string, tenant: string, externalId: string): Role =>
  role(
    arn,
    document(
      {
        Sid: 'BrokerMayAssume',
        Effect: 'Allow',
        Principal: ROOT,
        Action: 'sts:AssumeRole',
        Condition: {
          ...BY_MINT,
          StringEquals: { [`aws:RequestTag/${TAG}`]: tenant, 'sts:ExternalId': externalId },
          StringLike: { 'sts:SourceIdentity': `${tenant}.*` },
        },
      },
      {
        Sid: 'BrokerMayTag',
        Effect: 'Allow',
        Principal: ROOT,
        Action: 'sts:TagSession',
        Condition: { ...BY_MINT, StringEquals: { [`aws:RequestTag/${TAG}`]: tenant } },
      },
      {
        Sid: 'BrokerMayName',
        Effect: 'Allow',
        Principal: ROOT,
        Action: 'sts:SetSourceIdentity',
        Condition: { ...BY_MINT, StringLike: { 'sts:SourceIdentity': `${tenant}.*` } },
      },
    ),
    [{ Sid: 'Widest', Effect: 'Allow', Action: '*', Resource: '*' }],
    { tags: { [TAG]: tenant }, boundary: BOUNDARY },
  )

const CLAIMS = 'sts.example.com/t/acme'
const webWorkload = role(
  WEB_ROLE,
  document(
    {
      Sid: 'PinnedToken',
      Effect: 'Allow',
      Principal: { Federated: PROVIDER },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        Bool: { 'sts:RoleAuthorizedByIdp': 'true' },
        StringEquals: { [`${CLAIMS}:aud`]: 'aws-444455556666' },
        StringLike: { [`${CLAIMS}:sub`]: 'spiffe://acme.example/ci/*' },
      },
    },
    {
      Sid: 'TaggedByToken',
      Effect: 'Allow',
      Principal: { Federated: PROVIDER },
      Action: 'sts:TagSession',
      Condition: { StringEquals: { [`aws:RequestTag/${TAG}`]: 'acme' } },
    },
    {
      Sid: 'NamedByToken',
      Effect: 'Allow',
      Principal: { Federated: PROVIDER },
      Action: 'sts:SetSourceIdentity',
      Condition: { StringLike: { 'sts:SourceIdentity': 'acme.*' } },
    },
  ),
  [{ Sid: 'Widest', Effect: 'Allow', Action: '*', Resource: '*' }],
  { tags: { [TAG]: 'acme' } },
)

const boundary = document(
  { Sid: 'Ceiling', Effect: 'Allow', Action: ['sqs:SendMessage', 'sqs:GetQueueUrl'], Resource: '*' },
  {
    Sid: 'NotWithoutSource',
    Effect: 'Deny',
    Action: '*',
    Resource: '*',
    Condition: { Null: { 'aws:SourceIdentity': 'true' } },
  },
)

const keyPolicy = document(
  {
    Sid: 'OwnTenant',
    Effect: 'Allow',
    Principal: { AWS: DATA_ROLE },
    Action: ['kms:Decrypt', 'kms:GenerateDataKeyPairWithoutPlaintext'],
    Resource: '*',
    Condition: { StringEquals: { 'kms:EncryptionContext:tenant': SESSION_TENANT } },
  },
  {
    Sid: 'NobodyElse',
    Effect: 'Deny',
    Principal: '*',
    Action: 'kms:Decrypt',
    Resource: '*',
    Condition: { ArnNotEquals: { 'aws:PrincipalArn': DATA_ROLE } },
  },
)
const siloPolicy = document({ Sid: 'Account', Effect: 'Allow', Principal: ROOT, Action: 'kms:*', Resource: '*' })

export const sampleCloud: Cloud = {
  ...emptyCloud(ACCOUNT, REGION),
  roles: Object.fromEntries(
    [
      mint,
      dataMint,
      revoke,
      workload(ACME_ROLE, 'acme', EXTERNAL_ID),
      workload(GLOBEX_ROLE, 'globex', 'mintmark-globex-1111aaaa'),
      webWorkload,
    ].map((each) => [each.arn, each]),
  ),
  managedPolicies: {
    [BOUNDARY]: boundary,
    [DENY_ALL]: document({ Sid: 'Revoked', Effect: 'Deny', Action: '*', Resource: '*' }),
  },
  resources: {
    [POOL_KEY]: { policy: keyPolicy, key: { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' } },
    [SILO_KEY]: { policy: siloPolicy, key: { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' } },
  },
  identityProviders: { [PROVIDER]: { url: ISSUER, clientIds: ['aws-444455556666'] } },
  functions: {
    'mintmark-prod-mint': { role: MINT_ROLE, isIsolated: false },
    'mintmark-prod-revoke': { role: REVOKE_ROLE, isIsolated: false },
  },
  aliases: { 'alias/mintmark-pool': POOL_KEY },
}
