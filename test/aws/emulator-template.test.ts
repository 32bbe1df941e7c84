// Templates read into policies: what CloudFormation would deploy, intrinsics resolved, and an error wherever a value is not known.
import { describe, expect, test } from 'vitest'
import { cloudFromTemplates, type Stack } from '../support/aws/cloud-from-template.ts'
import { decide } from '../support/aws/decision.ts'
import type { Template } from '../support/aws/template-values.ts'

const ACCOUNT = '111122223333'
const PLACE = { account: ACCOUNT, region: 'eu-west-1' }
const TAG = 'mintmark-tenant'

const allow = (Action: string, Resource: unknown, more: object = {}) => ({ Effect: 'Allow', Action, Resource, ...more })
const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement })

/** In the shape of ours: names by Sub and Join, policies beside their resources, a boundary exported to tenant stacks. */
const core: Template = {
  Parameters: { Stage: { Default: 'prod' } },
  Conditions: { IsProd: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] } },
  Resources: {
    ReadPolicy: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'read',
        Roles: [{ Ref: 'MintRole' }],
        PolicyDocument: policy(
          allow(
            'dynamodb:GetItem',
            { 'Fn::GetAtt': ['Core', 'Arn'] },
            {
              Sid: 'ReadOwnRows',
              Condition: {
                'ForAllValues:StringLike': {
                  'dynamodb:LeadingKeys': [{ 'Fn::Sub': `T#\${!aws:PrincipalTag/${TAG}}#*` }],
                },
                Null: { 'dynamodb:LeadingKeys': 'false' },
              },
            },
          ),
        ),
      },
    },
    MintRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'mintmark-mint',
        Path: '/mintmark/fn/',
        AssumeRolePolicyDocument: policy({
          Effect: 'Allow',
          Principal: { Service: 'lambda.amazonaws.com' },
          Action: 'sts:AssumeRole',
        }),
        Policies: [
          {
            PolicyName: 'send',
            PolicyDocument: policy(
              allow('sqs:SendMessage', {
                'Fn::Join': [
                  ':',
                  [
                    'arn',
                    { Ref: 'AWS::Partition' },
                    'sqs',
                    { Ref: 'AWS::Region' },
                    { Ref: 'AWS::AccountId' },
                    { 'Fn::Sub': `mintmark-\${Stage}-revoke` },
                  ],
                ],
              }),
            ),
          },
        ],
      },
    },
    MintFunction: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: { 'Fn::Sub': `mintmark-\${Stage}-mint` },
        Role: { 'Fn::GetAtt': ['MintRole', 'Arn'] },
        // Not resolved by this reader, and not read: only what bears on decisions has to be understood.
        Layers: { 'Fn::FindInMap': ['A', 'B', 'C'] },
        VpcConfig: { SubnetIds: [{ Ref: 'Subnet' }] },
      },
    },
    StsEndpoint: {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        ServiceName: { 'Fn::Sub': `com.amazonaws.\${AWS::Region}.sts` },
        PolicyDocument: policy(allow('sts:AssumeRole', '*', { Principal: '*' })),
      },
    },
    KmsEndpoint: { Type: 'AWS::EC2::VPCEndpoint', Properties: { ServiceName: 'com.amazonaws.eu-west-1.kms' } },
    Core: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: 'mintmark-core',
        SSESpecification: { SSEEnabled: true, KMSMasterKeyId: { 'Fn::GetAtt': ['DataKey', 'Arn'] } },
        ResourcePolicy: {
          PolicyDocument: policy({
            Sid: 'OnlyBroker',
            Effect: 'Deny',
            Principal: '*',
            Action: 'dynamodb:GetItem',
            Resource: '*',
            Condition: {
              ArnNotLike: {
                'aws:PrincipalArn': { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/mintmark/*` },
              },
            },
          }),
        },
      },
    },
    DataKey: {
      Type: 'AWS::KMS::Key',
      Properties: {
        KeyPolicy: policy(
          allow('kms:*', '*', {
            Principal: { AWS: { 'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root` } },
          }),
        ),
        Tags: [{ Key: 'mintmark-use', Value: 'data' }],
      },
    },
    DataAlias: {
      Type: 'AWS::KMS::Alias',
      Properties: { AliasName: 'alias/mintmark/data', TargetKeyId: { Ref: 'DataKey' } },
    },
    RevokeQueue: {
      Type: 'AWS::SQS::Queue',
      Properties: { QueueName: { 'Fn::Sub': `mintmark-\${Stage}-revoke` }, KmsMasterKeyId: 'alias/aws/sqs' },
    },
    RevokeQueuePolicy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'RevokeQueue' }],
        PolicyDocument: policy({
          Sid: 'TlsOnly',
          Effect: 'Deny',
          Principal: '*',
          Action: 'sqs:*',
          Resource: { 'Fn::GetAtt': ['RevokeQueue', 'Arn'] },
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      },
    },
    Boundary: {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        ManagedPolicyName: 'mintmark-workload',
        Path: '/mintmark/boundary/',
        PolicyDocument: policy(allow({ 'Fn::If': ['IsProd', 's3:GetObject', 's3:*'] } as never, '*')),
      },
    },
  },
  Outputs: { Boundary: { Value: { Ref: 'Boundary' }, Export: { Name: 'mintmark-workload-boundary' } } },
}

const tenants: Template = {
  Resources: {
    AcmeRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'mintmark-acme-deployer',
        Path: '/mintmark/t/acme/',
        Tags: [{ Key: TAG, Value: 'acme' }],
        MaxSessionDuration: 7200,
        PermissionsBoundary: { 'Fn::ImportValue': 'mintmark-workload-boundary' },
        AssumeRolePolicyDocument: policy({
          Effect: 'Allow',
          Principal: { Federated: { Ref: 'AcmeIssuer' } },
          Action: 'sts:AssumeRoleWithWebIdentity',
        }),
      },
    },
    AcmeIssuer: {
      Type: 'AWS::IAM::OIDCProvider',
      Properties: { Url: 'https://sts.example.com/t/acme', ClientIdList: ['aws-1'] },
    },
  },
}

const stacks: readonly Stack[] = [
  { template: core, name: 'mintmark' },
  { template: tenants, name: 'mintmark-tenants' },
]
const MINT = `arn:aws:iam::${ACCOUNT}:role/mintmark/fn/mintmark-mint`
const TABLE = `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/mintmark-core`

describe('a packaged template', () => {
  const cloud = cloudFromTemplates(stacks, PLACE)

  test('gives each role its path, inline and attached policies, whichever stands first', () => {
    expect(cloud.roles[MINT]).toMatchObject({
      inline: {
        send: { Statement: [{ Resource: `arn:aws:sqs:eu-west-1:${ACCOUNT}:mintmark-prod-revoke` }] },
        read: { Statement: [{ Sid: 'ReadOwnRows', Resource: TABLE }] },
      },
    })
    expect(cloud.functions).toEqual({ 'mintmark-prod-mint': { role: MINT, isIsolated: true } })
    expect(cloud.endpoints).toMatchObject({
      sts: { Statement: [{ Action: 'sts:AssumeRole' }] },
      kms: { Statement: [{ Action: '*' }] },
    })
  })

  test('leaves policy variables to IAM: an escape that was lost would be an empty fence', () => {
    const [statement] = cloud.roles[MINT]!.inline['read']!.Statement
    expect(statement?.Condition?.['ForAllValues:StringLike']).toEqual({
      'dynamodb:LeadingKeys': [`T#\${aws:PrincipalTag/${TAG}}#*`],
    })
  })

  test('gives tenant roles their tags, trust, and the boundary another stack exported', () => {
    const boundary = `arn:aws:iam::${ACCOUNT}:policy/mintmark/boundary/mintmark-workload`
    expect(cloud.roles[`arn:aws:iam::${ACCOUNT}:role/mintmark/t/acme/mintmark-acme-deployer`]).toMatchObject({
      tags: { [TAG]: 'acme' },
      boundary,
      maxSessionSeconds: 7200,
      trust: {
        Statement: [{ Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/sts.example.com/t/acme` } }],
      },
    })
    expect(cloud.managedPolicies[boundary]?.Statement[0]?.Action).toBe('s3:GetObject')
  })

  test('puts a tenant stack of another account there', () => {
    const [first, second] = stacks
    const apart = cloudFromTemplates([first!, { ...second!, account: '444455556666' }], PLACE)
    expect(Object.keys(apart.identityProviders)).toEqual([
      'arn:aws:iam::444455556666:oidc-provider/sts.example.com/t/acme',
    ])
  })

  test('gives resources their policies, keys and encryption', () => {
    const key = cloud.aliases['alias/mintmark/data']!
    expect(cloud.resources[key]).toMatchObject({ tags: { 'mintmark-use': 'data' }, key: { spec: 'SYMMETRIC_DEFAULT' } })
    expect(cloud.resources[TABLE]).toMatchObject({ encryptedWith: key, policy: { Statement: [{ Sid: 'OnlyBroker' }] } })
    const queue = cloud.resources[`arn:aws:sqs:eu-west-1:${ACCOUNT}:mintmark-prod-revoke`]
    expect(queue?.policy?.Statement).toMatchObject([{ Sid: 'TlsOnly' }])
    // The queue is under a key of AWS itself, which asks nothing of the caller.
    expect(queue?.encryptedWith).toBeUndefined()
  })

  test('a session reads the rows of the tenant it is tagged with and no others, as the policies of the template say', async () => {
    const read = (tenant: string) =>
      decide(cloud, {
        principal: { arn: `arn:aws:sts::${ACCOUNT}:assumed-role/mintmark-mint/s`, role: MINT, sessionPolicies: [] },
        action: 'dynamodb:GetItem',
        resource: TABLE,
        resourceAccount: ACCOUNT,
        context: {
          'aws:PrincipalArn': MINT,
          [`aws:PrincipalTag/${TAG}`]: tenant,
          'dynamodb:LeadingKeys': ['T#acme#G#1'],
        },
      })
    expect((await read('acme')).outcome).toBe('Allowed')
    expect((await read('globex')).outcome).toBe('ImplicitlyDenied')
  })
})

describe('a value that is not known is an error', () => {
  const withRole = (properties: object): readonly Stack[] => [
    {
      name: 's',
      template: {
        Resources: {
          R: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: policy(), ...properties } },
          X: { Type: 'AWS::Kinesis::Stream' },
        },
      },
    },
  ]
  test.each([
    ['a resource that is not there', { PermissionsBoundary: { Ref: 'Nothing' } }, 'no resource Nothing'],
    [
      'an attribute of a type it does not name',
      { PermissionsBoundary: { 'Fn::GetAtt': ['X', 'Arn'] } },
      'AWS::Kinesis::Stream',
    ],
    ['an import nobody exports', { PermissionsBoundary: { 'Fn::ImportValue': 'none' } }, 'no stack exports none'],
    ['an intrinsic it does not have', { PermissionsBoundary: { 'Fn::FindInMap': ['a', 'b', 'c'] } }, 'Fn::FindInMap'],
    ['a variable nobody declared', { RoleName: { 'Fn::Sub': `\${aws:PrincipalTag/x}` } }, 'aws:PrincipalTag/x'],
    ['a condition that is not there', { PermissionsBoundary: { 'Fn::If': ['C', 'a', 'b'] } }, 'no condition C'],
  ])('%s', (_, properties, message) => {
    expect(() => cloudFromTemplates(withRole(properties), PLACE)).toThrow(message)
  })
})
