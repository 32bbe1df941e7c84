// Subnets without a way out, for the functions that must not have one (design P9): no gateway, no NAT, and only endpoints of
// the services they call. Each endpoint speaks to this account's resources alone, so that a function taken over cannot carry
// anything out to somebody else's table, queue or function either.
import { anchoredCheckpointsOf, dataRoleArn } from './names.ts'
import { allow, policy, text } from './policies/statement.ts'

export const ISOLATED_RANGE = '10.90.0.0/24'
const SUBNET_CIDRS = ['10.90.0.0/26', '10.90.0.64/26'] as const
/** Interface endpoints; DynamoDB and S3 have gateways, which cost nothing. */
export const SERVICES = ['lambda', 'sqs', 'sts', 'kms', 'secretsmanager'] as const

const tags = (name: string) => [{ Key: 'Name', Value: name }]
const subnetId = (index: number): string => `IsolatedSubnet${'AB'[index]}`
const subnets = SUBNET_CIDRS.map((_cidr, index) => ({ Ref: subnetId(index) }))

const subnet = (index: number) => ({
  [subnetId(index)]: {
    Type: 'AWS::EC2::Subnet',
    Properties: {
      VpcId: { Ref: 'Network' },
      CidrBlock: SUBNET_CIDRS[index],
      AvailabilityZone: { 'Fn::Select': [index, { 'Fn::GetAZs': '' }] },
      MapPublicIpOnLaunch: false,
      Tags: tags(`mintmark-isolated-${'ab'[index]}`),
    },
  },
  [`${subnetId(index)}Routes`]: {
    Type: 'AWS::EC2::SubnetRouteTableAssociation',
    Properties: { SubnetId: { Ref: subnetId(index) }, RouteTableId: { Ref: 'IsolatedRoutes' } },
  },
})

const ownResourcesOnly = policy([
  allow('OwnResourcesOnly', {
    principal: '*',
    actions: ['*'],
    resources: ['*'],
    when: {
      StringEquals: {
        'aws:PrincipalAccount': text('${AWS::AccountId}'),
        'aws:ResourceAccount': text('${AWS::AccountId}'),
      },
    },
  }),
])

/** STS opens sessions of roles in tenants' accounts, and takes tokens of ours without any principal. */
const sessionsOnly = policy([
  allow('SessionsOnly', {
    principal: '*',
    actions: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity', 'sts:AssumeRoleWithWebIdentity'],
    resources: ['arn:${AWS::Partition}:iam::*:role/mintmark/*'],
  }),
])

const anchorsOnly = policy([
  allow('AnchorsOnly', {
    principal: '*',
    actions: ['s3:PutObject', 's3:GetObject'],
    resources: [anchoredCheckpointsOf('*')],
    when: {
      ArnEquals: { 'aws:PrincipalArn': text(dataRoleArn('checkpoint')) },
      StringEquals: { 'aws:ResourceAccount': text('${AWS::AccountId}') },
    },
  }),
])

const interfaceEndpoint = (service: (typeof SERVICES)[number]) => ({
  [`${service.charAt(0).toUpperCase()}${service.slice(1)}Endpoint`]: {
    Type: 'AWS::EC2::VPCEndpoint',
    Properties: {
      VpcEndpointType: 'Interface',
      VpcId: { Ref: 'Network' },
      ServiceName: text(`com.amazonaws.\${AWS::Region}.${service}`),
      PrivateDnsEnabled: true,
      SubnetIds: subnets,
      SecurityGroupIds: [{ Ref: 'EndpointGroup' }],
      PolicyDocument: service === 'sts' ? sessionsOnly : ownResourcesOnly,
    },
  },
})

const https = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443 } as const

const group = (says: string) => ({
  Type: 'AWS::EC2::SecurityGroup',
  Properties: {
    VpcId: { Ref: 'Network' },
    GroupDescription: says,
    // Without a rule EC2 allows all; one that leads nowhere allows nothing.
    SecurityGroupEgress: [
      { IpProtocol: 'icmp', FromPort: 252, ToPort: 86, CidrIp: '255.255.255.255/32', Description: 'nothing' },
    ],
  },
})

export const networkResources = {
  Network: {
    Type: 'AWS::EC2::VPC',
    Properties: {
      CidrBlock: ISOLATED_RANGE,
      EnableDnsSupport: true,
      EnableDnsHostnames: true,
      Tags: tags('mintmark-isolated'),
    },
  },
  IsolatedRoutes: {
    Type: 'AWS::EC2::RouteTable',
    Properties: { VpcId: { Ref: 'Network' }, Tags: tags('mintmark-isolated') },
  },
  ...subnet(0),
  ...subnet(1),
  FunctionGroup: group('Functions without a way out'),
  EndpointGroup: group('Endpoints of the services they call'),
  FunctionToEndpoints: {
    Type: 'AWS::EC2::SecurityGroupEgress',
    Properties: {
      GroupId: { 'Fn::GetAtt': ['FunctionGroup', 'GroupId'] },
      DestinationSecurityGroupId: { 'Fn::GetAtt': ['EndpointGroup', 'GroupId'] },
      Description: 'services by endpoint',
      ...https,
    },
  },
  FunctionToDynamo: {
    Type: 'AWS::EC2::SecurityGroupEgress',
    Properties: {
      GroupId: { 'Fn::GetAtt': ['FunctionGroup', 'GroupId'] },
      // The addresses of DynamoDB and S3 differ by Region; the route table has a way to them and to nothing else.
      CidrIp: '0.0.0.0/0',
      Description: 'DynamoDB and S3 by gateway endpoints',
      ...https,
    },
  },
  EndpointsFromFunctions: {
    Type: 'AWS::EC2::SecurityGroupIngress',
    Properties: {
      GroupId: { 'Fn::GetAtt': ['EndpointGroup', 'GroupId'] },
      SourceSecurityGroupId: { 'Fn::GetAtt': ['FunctionGroup', 'GroupId'] },
      Description: 'functions',
      ...https,
    },
  },
  DynamoEndpoint: {
    Type: 'AWS::EC2::VPCEndpoint',
    Properties: {
      VpcEndpointType: 'Gateway',
      VpcId: { Ref: 'Network' },
      ServiceName: text('com.amazonaws.${AWS::Region}.dynamodb'),
      RouteTableIds: [{ Ref: 'IsolatedRoutes' }],
      PolicyDocument: ownResourcesOnly,
    },
  },
  // For one function, one bucket, and what is put there once.
  S3Endpoint: {
    Type: 'AWS::EC2::VPCEndpoint',
    Properties: {
      VpcEndpointType: 'Gateway',
      VpcId: { Ref: 'Network' },
      ServiceName: text('com.amazonaws.${AWS::Region}.s3'),
      RouteTableIds: [{ Ref: 'IsolatedRoutes' }],
      PolicyDocument: anchorsOnly,
    },
  },
  ...Object.assign({}, ...SERVICES.map(interfaceEndpoint)),
}

/** `vpc` of an isolated function. */
export const ISOLATED = {
  securityGroupIds: [{ 'Fn::GetAtt': ['FunctionGroup', 'GroupId'] }],
  subnetIds: subnets,
}
