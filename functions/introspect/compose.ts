// introspect on AWS: a tenant's rows through that tenant's session, which can write but that a proof was shown; orders and refusals
// onto their queues.
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createSqsQueue } from '../../lib/adapters/aws/sqs-queue.ts'
import type { Environment } from '../../lib/config/environment.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { openCallers } from '../callers.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createHandler } from './handler.ts'

export const INTROSPECT_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_ORDERS_QUEUE',
  'MINTMARK_DENIALS_QUEUE',
] as const

export type IntrospectClients = TenantTableClients & { readonly sqs: SQSClient }

export const createIntrospect = (
  environment: Environment<(typeof INTROSPECT_ENVIRONMENT)[number]>,
  { sqs, ...clients }: IntrospectClients,
): HttpHandler => {
  const log = createLogger('introspect')
  const { table } = openTenantTable(environment.MINTMARK_CORE_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const { ports, settle } = openCallers({
    name: 'introspect',
    table,
    sqs,
    baseUrl: environment.MINTMARK_BASE_URL,
    denialsQueue: environment.MINTMARK_DENIALS_QUEUE,
    log,
  })
  const orders = createSqsQueue({ client: sqs, queueUrl: environment.MINTMARK_ORDERS_QUEUE })
  return createHandler({ ports: { ...ports, orders }, log, settle })
}
