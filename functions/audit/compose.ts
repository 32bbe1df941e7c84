// audit on AWS: the stream of the core table and the queue of denials into the tenants' logs, each tenant's part through its session.
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createControlRecords } from '../../lib/adapters/aws/dynamo-control-records.ts'
import { createDenialRecords } from '../../lib/adapters/aws/dynamo-denials.ts'
import { createLogList } from '../../lib/adapters/aws/dynamo-log-list.ts'
import { createHourlyRecords, createRecordLookup } from '../../lib/adapters/aws/dynamo-records.ts'
import { unhurried } from '../../lib/adapters/aws/dynamo-request.ts'
import { feedItemOf } from '../../lib/adapters/aws/dynamo-stream.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import { createSqsQuarantine, createSqsQueue } from '../../lib/adapters/aws/sqs-queue.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { systemSalts } from '../../lib/adapters/system/salts.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { createTreeLog } from '../../lib/flows/audit/append-log.ts'
import { orderReplays } from '../../lib/flows/revocation/follow-replays.ts'
import { tenantIssuerUrl } from '../../lib/wire/tenant-urls.ts'
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
  const opened = openTenantTable(environment.MINTMARK_LOG_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const table = unhurried(opened.table)
  const log = createLogger('audit')
  const baseUrl = environment.MINTMARK_BASE_URL
  const core = { ...table, name: environment.MINTMARK_CORE_TABLE }
  const records = createRecordLookup(core)
  const replays = {
    decisions: records,
    tenants: createTenants({ configs: createTenantConfigStore(core), baseUrl, log }),
    queue: createSqsQueue({ client: sqs, queueUrl: environment.MINTMARK_ORDERS_QUEUE }),
    clock,
  }
  const quarantine = (queueUrl: string) => createSqsQuarantine({ client: sqs, queueUrl })
  const store = createTenantLog(table, nodeSha256)
  const tree = createTreeLog({
    store,
    salts: systemSalts,
    hashes: { sha256: nodeSha256, sha256Hex },
    issuerUrl: (tenant) => tenantIssuerUrl(baseUrl, tenant),
    async recordOf(tenant, decisionId) {
      const found = await records.find(decisionId, tenant)
      return found?.kind === 'allow' ? found.record : null
    },
  })
  return createHandler({
    ports: { log: tree, quarantine: quarantine(environment.MINTMARK_QUARANTINE_QUEUE) },
    repair: {
      records: createHourlyRecords(core),
      control: createControlRecords(core),
      store,
      retention: { expired: async () => null },
      list: createLogList(table),
      clock,
    },
    denials: createDenialRecords(table),
    denialQuarantine: quarantine(environment.MINTMARK_DENIALS_QUARANTINE_QUEUE),
    follow: (entries) => orderReplays(replays, entries),
    readChange: feedItemOf,
    log,
  })
}
