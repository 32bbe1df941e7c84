// What every role of a kind has in common. Function roles are assumed by Lambda alone and are worth nothing outside of their
// function; data roles are assumed by one function role, for one tenant at a time.
import {
  ACCOUNT_ROOT,
  DATA_PATH,
  dataRoleArn,
  FUNCTION_PATH,
  type FunctionName,
  functionArn,
  functionRoleArn,
  logStreamsArn,
  type Place,
  TENANT_TAG,
  type TenantBound,
} from '../names.ts'
import { type Action, all, allow, deny, onlyTags, policy, type Statement, text } from './statement.ts'

export type Role = {
  readonly name: string
  readonly path: string
  readonly says: string
  readonly trust: readonly Statement[]
  readonly statements: readonly Statement[]
}

/** AWS::IAM::Role. Names are explicit, because trust and key policies name roles. */
export const roleResource = ({ name, path, says, trust, statements }: Role) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: name,
    Path: path,
    Description: says,
    AssumeRolePolicyDocument: policy(trust),
    Policies: [{ PolicyName: name, PolicyDocument: policy(statements) }],
  },
})

/**
 * Allow statements that the Lambda service uses with the role, never our code: a test that replays the calls of our code
 * finds no use for them.
 */
export const SERVICE_SIDS: ReadonlySet<string> = new Set([
  'WriteOwnLogs',
  'SendTraces',
  'AttachToNetwork',
  'PollQueue',
  'PollStream',
  'KeepWhatFailed',
])

const logsAndTraces = (fn: FunctionName, place: Place): Statement[] => [
  allow('WriteOwnLogs', {
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [logStreamsArn(place, fn)],
  }),
  // X-Ray has no resources to name.
  allow('SendTraces', { actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] }),
]

/** Lambda puts an interface into our subnets with the role; EC2 names no resource when they are listed and made. */
const network = (fn: FunctionName, place: Place): Statement[] => [
  allow('AttachToNetwork', {
    actions: [
      'ec2:CreateNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:DeleteNetworkInterface',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ],
    resources: ['*'],
  }),
  // Lambda's own calls do not carry the function's ARN, calls of the code inside do.
  deny('NeverFromCode', {
    actions: ['ec2:*'],
    resources: ['*'],
    when: { ArnEquals: { 'lambda:SourceFunctionArn': text(functionArn(place, fn)) } },
  }),
]

type FunctionRole = {
  readonly fn: FunctionName
  readonly place: Place
  readonly says: string
  /** Runs in the subnets without a way out (infra/network.ts). */
  readonly isIsolated: boolean
  /** What only calls from inside the function may do: credentials carried elsewhere are worth nothing. */
  readonly onlyInside: readonly Action[]
  readonly statements: readonly Statement[]
}

export const functionRole = ({ fn, place, says, isIsolated, onlyInside, statements }: FunctionRole): Role => ({
  name: `mintmark-${fn}`,
  path: FUNCTION_PATH,
  says,
  trust: [allow('RunByLambda', { principal: { Service: 'lambda.amazonaws.com' }, actions: ['sts:AssumeRole'] })],
  statements: [
    ...statements,
    deny('OnlyFromThisFunction', {
      actions: onlyInside,
      resources: ['*'],
      when: { ArnNotEquals: { 'lambda:SourceFunctionArn': text(functionArn(place, fn)) } },
    }),
    ...logsAndTraces(fn, place),
    ...(isIsolated ? network(fn, place) : []),
  ],
})

/** Lambda puts an event here that the function failed on to the end. */
export const keepWhatFailed = (queue: string): Statement =>
  allow('KeepWhatFailed', { actions: ['sqs:SendMessage'], resources: [queue] })

/**
 * The right to open a session of one's own data role, for a tenant that is named; and of no other role, whatever a trust policy
 * elsewhere says. `more`: roles that have statements of their own.
 */
export const tenantSessionsOnly = (fn: TenantBound, ...more: readonly string[]): Statement[] => [
  allow('OpenTenantSession', {
    actions: ['sts:AssumeRole', 'sts:TagSession'],
    resources: [dataRoleArn(fn)],
    when: oneTenant(),
  }),
  deny('NoOtherRoles', {
    actions: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
    notResources: [...more, dataRoleArn(fn)],
  }),
]

/**
 * One tag, the tenant's, without `*` or `?` (a tag is put into patterns) and without the delimiters of keys. `${*}` is IAM's
 * way to write a star that is a star.
 */
const oneTenant = () =>
  all(onlyTags(TENANT_TAG), {
    Null: { [`aws:RequestTag/${TENANT_TAG}`]: 'false' },
    StringNotLike: { [`aws:RequestTag/${TENANT_TAG}`]: ['*${!*}*', '*${!?}*', '*#*', '*/*'].map(text) },
  })

export const dataRole = (fn: TenantBound, says: string, statements: readonly Statement[]): Role => ({
  name: `mintmark-data-${fn}`,
  path: DATA_PATH,
  says,
  // Trust in an account's root with aws:PrincipalArn lets the identity policy count as well; naming the role would grant
  // by itself, and would break for good when the role is made anew.
  trust: [
    allow('OwnFunctionForOneTenant', {
      principal: { AWS: text(ACCOUNT_ROOT) },
      actions: ['sts:AssumeRole', 'sts:TagSession'],
      when: all({ ArnEquals: { 'aws:PrincipalArn': text(functionRoleArn(fn)) } }, oneTenant()),
    }),
  ],
  statements,
})

/** For roles that write into tables: nothing there is removed, nor written past the fences of single rows. */
export const neverErase: Statement = deny('NeverErase', {
  actions: ['dynamodb:DeleteItem', 'dynamodb:BatchWriteItem', 'dynamodb:PartiQLDelete', 'dynamodb:PartiQLUpdate'],
  resources: ['*'],
})

/** For roles without a key: none may be used directly. DynamoDB opens a table's own key in the caller's name, and may. */
export const noDirectKms: Statement = deny('NoDirectKms', {
  actions: ['kms:*'],
  resources: ['*'],
  when: { Null: { 'kms:ViaService': 'true' } },
})
