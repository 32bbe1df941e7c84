// poll on AWS: a tenant's receivers through that tenant's session. SETs come from feed, which has the key; every poll is answered at
// once, since a function that waits costs what it waits and has no room for others.
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createReceivers } from '../../lib/adapters/aws/dynamo-receivers.ts'
import { createLambdaSets } from '../../lib/adapters/aws/lambda-sets.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { Environment } from '../../lib/config/environment.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { openCallers } from '../callers.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createHandler } from './handler.ts'

export const POLL_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_FEED_FUNCTION',
  'MINTMARK_DENIALS_QUEUE',
] as const

export type PollClients = TenantTableClients & { readonly lambda: LambdaClient; readonly sqs: SQSClient }

export const createPollFunction = (
  environment: Environment<(typeof POLL_ENVIRONMENT)[number]>,
  { lambda, sqs, ...clients }: PollClients,
): HttpHandler => {
  const log = createLogger('poll')
  const { table } = openTenantTable(environment.MINTMARK_CORE_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const { ports, settle } = openCallers({
    name: 'poll',
    table,
    sqs,
    baseUrl: environment.MINTMARK_BASE_URL,
    denialsQueue: environment.MINTMARK_DENIALS_QUEUE,
    log,
  })
  const source = createLambdaSets({ client: lambda, functionName: environment.MINTMARK_FEED_FUNCTION }, nodeDigest)
  return createHandler({ ports: { ...ports, receivers: createReceivers(table), source }, log, settle })
}
