// audit on AWS: the stream of the core table and the queue of denials into the log table, each tenant's part through its session.
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createAuditLog } from '../../lib/adapters/aws/dynamo-audit-log.ts'
import { feedItemOf } from '../../lib/adapters/aws/dynamo-stream.ts'
import { createSqsQuarantine } from '../../lib/adapters/aws/sqs-queue.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createHandler } from './handler.ts'

export const AUDIT_ENVIRONMENT = [
  'MINTMARK_LOG_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_QUARANTINE_QUEUE',
  'MINTMARK_DENIALS_QUARANTINE_QUEUE',
] as const

export type AuditClients = TenantTableClients & { readonly sqs: SQSClient }

export const createAudit = (
  environment: Environment<(typeof AUDIT_ENVIRONMENT)[number]>,
  { sqs, ...clients }: AuditClients,
) => {
  const { table } = openTenantTable(environment.MINTMARK_LOG_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const quarantine = (queueUrl: string) => createSqsQuarantine({ client: sqs, queueUrl })
  return createHandler({
    ports: { log: createAuditLog(table), quarantine: quarantine(environment.MINTMARK_QUARANTINE_QUEUE) },
    denialQuarantine: quarantine(environment.MINTMARK_DENIALS_QUARANTINE_QUEUE),
    readChange: feedItemOf,
    log: createLogger('audit'),
  })
}
