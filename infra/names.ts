// Names and ARNs of everything that is deployed, spelled once. Text in `${AWS::…}` is filled in by CloudFormation.
// One deployment an AWS account: roles and tables carry no stage, functions and queues do.

import { CORE_TABLE, LOG_TABLE } from '../lib/adapters/aws/table-keys.ts'
import { anchoredPrefix, archiveBucket } from '../lib/domain/archive-bucket.ts'
import { DENY_ALL_NAME, DENY_PATH } from '../lib/domain/aws-session.ts'

/** Where it is deployed. */
export type Place = { readonly stage: string }

/**
 * Those of design §2; `feed` is the half of revoke that is asked, and the only one that opens signal keys; `push` and `poll` give
 * receivers what it signed. Of audit `checkpoint` is the half that signs, and the only one that opens log keys, and `deliver` the half
 * that speaks to sinks: who appends does neither. `erase` alone deletes what is to be gone.
 */
export const FUNCTIONS = [
  'attest',
  'mint',
  'trust',
  'revoke',
  'feed',
  'audit',
  'checkpoint',
  'deliver',
  'erase',
  'events',
  'introspect',
  'admin',
  'discovery',
  'rotate',
  'push',
  'poll',
] as const
export type FunctionName = (typeof FUNCTIONS)[number]

/** Functions that reach a tenant's rows only through a session tagged with that tenant. */
export type TenantBound = Exclude<FunctionName, 'attest' | 'trust'>

/** The session tag that names the tenant; every fence is written in it. */
export const TENANT_TAG = 'mintmark-tenant'

const ACCOUNT = '${AWS::AccountId}'
const inRegion = (service: string, resource: string): string =>
  `arn:\${AWS::Partition}:${service}:\${AWS::Region}:${ACCOUNT}:${resource}`
const iam = (resource: string, account = ACCOUNT): string => `arn:\${AWS::Partition}:iam::${account}:${resource}`

export const functionName = ({ stage }: Place, fn: FunctionName): string => `mintmark-${stage}-${fn}`
export const functionArn = (place: Place, fn: FunctionName): string =>
  inRegion('lambda', `function:${functionName(place, fn)}`)
/**
 * The kinds of request a function takes, where it takes several, each by an alias of its own (infra/aliases.ts): IAM sees an alias and
 * no payload, so who may ask for one kind is refused the others.
 */
export const REQUESTS = {
  mint: ['issue', 'activate'],
  feed: ['page', 'sets', 'activate'],
  checkpoint: ['webhook', 'activate'],
} as const
type Asked = keyof typeof REQUESTS
export const requestName = <Fn extends Asked>(place: Place, fn: Fn, kind: (typeof REQUESTS)[Fn][number]): string =>
  `${functionName(place, fn)}:${kind}`
export const requestArn = <Fn extends Asked>(place: Place, fn: Fn, kind: (typeof REQUESTS)[Fn][number]): string =>
  `${functionArn(place, fn)}:${kind}`
/** Where the function's process log goes; `:*` are its streams. */
export const logGroupName = (place: Place, fn: FunctionName): string => `/aws/lambda/${functionName(place, fn)}`
export const logStreamsArn = (place: Place, fn: FunctionName): string =>
  inRegion('logs', `log-group:${logGroupName(place, fn)}:*`)

export const QUEUES = ['revoke', 'denials', 'findings', 'push'] as const
export type QueueName = (typeof QUEUES)[number]
/** Dead-letter queues: of the queues, of the stream and of the schedules. */
export const DEAD_LETTERS = [
  'revoke-dlq',
  'denials-dlq',
  'findings-dlq',
  'audit-dlq',
  'trust-dlq',
  'rotate-dlq',
  'push-dlq',
  'checkpoint-dlq',
  'deliver-dlq',
  'erase-dlq',
  'archive-dlq',
] as const
export type DeadLetterName = (typeof DEAD_LETTERS)[number]
export type AnyQueue = QueueName | DeadLetterName
export const queueName = ({ stage }: Place, queue: AnyQueue): string => `mintmark-${stage}-${queue}`
export const queueArn = (place: Place, queue: AnyQueue): string => inRegion('sqs', queueName(place, queue))

export const ruleName = ({ stage }: Place, rule: string): string => `mintmark-${stage}-${rule}`
export const ruleArn = (place: Place, rule: string): string => inRegion('events', `rule/${ruleName(place, rule)}`)
/** Where accounts of tenants send what AWS found in them. */
export const findingsBusName = ({ stage }: Place): string => `mintmark-${stage}-findings`
/** A rule of that bus; rules of the account's own bus are ruleArn(). */
export const busRuleArn = (place: Place, rule: string): string =>
  inRegion('events', `rule/${findingsBusName(place)}/${ruleName(place, rule)}`)
/** Secrets of one tenant. `tenant` is a policy variable. */
export const secretsOf = (tenant: string): string => inRegion('secretsmanager', `secret:mintmark/${tenant}/*`)
export const ARCHIVE_BUCKET = archiveBucket({ account: ACCOUNT, region: '${AWS::Region}' })
export const ARCHIVE_BUCKET_ARN = `arn:\${AWS::Partition}:s3:::${ARCHIVE_BUCKET}`
/** Checkpoints of one tenant's log, in the bucket where they stay. `tenant` is a policy variable. */
export const anchoredCheckpointsOf = (tenant: string): string => `${ARCHIVE_BUCKET_ARN}/${anchoredPrefix(tenant)}*`
/** KMS keys have no names of their own; who may use which is said by tags, contexts and key policies. */
export const KEYS = inRegion('kms', 'key/*')

export const CORE_TABLE_ARN = inRegion('dynamodb', `table/${CORE_TABLE}`)
export const LOG_TABLE_ARN = inRegion('dynamodb', `table/${LOG_TABLE}`)
export const CORE_STREAM_ARN = `${CORE_TABLE_ARN}/stream/*`

export const FUNCTION_PATH = '/mintmark/fn/'
export const DATA_PATH = '/mintmark/data/'
export const SERVICE_PATH = '/mintmark/service/'
export const PEOPLE_PATH = '/mintmark/'

export const functionRoleArn = (fn: FunctionName): string => iam(`role${FUNCTION_PATH}mintmark-${fn}`)
export const dataRoleArn = (fn: TenantBound): string => iam(`role${DATA_PATH}mintmark-data-${fn}`)
/** Roles that workloads get; `*` stands for any account where a tenant may keep them elsewhere. */
export const workloadRoles = (account: string = ACCOUNT): string => iam('role/mintmark/t/*', account)
export const APPLY_ROLE_ARN = iam(`role${PEOPLE_PATH}mintmark-apply`)
export const OPERATOR_ROLE_ARN = iam(`role${PEOPLE_PATH}mintmark-operator`)

export const BOUNDARY_PATH = '/mintmark/boundary/'
export const BOUNDARY_NAME = 'mintmark-workload'
export const boundaryArn = (account: string = ACCOUNT): string => iam(`policy${BOUNDARY_PATH}${BOUNDARY_NAME}`, account)
/** Every deny text, of all tenants. */
export const DENY_POLICIES = iam(`policy${DENY_PATH}*`)
/** Those that revoke makes for one tenant. `tenant` is a policy variable. */
export const denyTextsOf = (tenant: string): string => iam(`policy${DENY_PATH}${tenant}/*`)
export const workloadRolesOf = (tenant: string): string => iam(`role/mintmark/t/${tenant}/*`)
export const denyAllArn = (account: string = ACCOUNT): string => iam(`policy${DENY_PATH}${DENY_ALL_NAME}`, account)
export const ACCOUNT_ROOT = iam('root')
