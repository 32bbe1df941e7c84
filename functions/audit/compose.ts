// audit on AWS: the stream of the core table and the queue of denials into the log table, each tenant's part through its session.
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createAuditLog } from '../../lib/adapters/aws/dynamo-audit-log.ts'
import { createRecordLookup } from '../../lib/adapters/aws/dynamo-records.ts'
import { feedItemOf } from '../../lib/adapters/aws/dynamo-stream.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createSqsQuarantine, createSqsQueue } from '../../lib/adapters/aws/sqs-queue.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { orderReplays } from '../../lib/flows/revocation/follow-replays.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const AUDIT_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_ORDERS_QUEUE',
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
  const log = createLogger('audit')
  const core = { ...table, name: environment.MINTMARK_CORE_TABLE }
  const replays = {
    decisions: createRecordLookup(core),
    tenants: createTenants({ configs: createTenantConfigStore(core), baseUrl: environment.MINTMARK_BASE_URL, log }),
    queue: createSqsQueue({ client: sqs, queueUrl: environment.MINTMARK_ORDERS_QUEUE }),
    clock,
  }
  const quarantine = (queueUrl: string) => createSqsQuarantine({ client: sqs, queueUrl })
  return createHandler({
    ports: { log: createAuditLog(table), quarantine: quarantine(environment.MINTMARK_QUARANTINE_QUEUE) },
    denialQuarantine: quarantine(environment.MINTMARK_DENIALS_QUARANTINE_QUEUE),
    follow: (entries) => orderReplays(replays, entries),
    readChange: feedItemOf,
    log,
  })
}
