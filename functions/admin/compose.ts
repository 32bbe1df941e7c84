// admin on AWS: one tenant's decisions, orders and revocations through that tenant's session; what it orders goes onto the queue,
// and what it was asked about into the table, from where audit takes it.
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createAnchorRecords } from '../../lib/adapters/aws/dynamo-anchor-records.ts'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { createDenialLookup } from '../../lib/adapters/aws/dynamo-denials.ts'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { createExpired } from '../../lib/adapters/aws/dynamo-log-retention.ts'
import { createLookUps } from '../../lib/adapters/aws/dynamo-look-ups.ts'
import { createPublicLog } from '../../lib/adapters/aws/dynamo-public-log.ts'
import { createReceivers } from '../../lib/adapters/aws/dynamo-receivers.ts'
import { createRecentRecords } from '../../lib/adapters/aws/dynamo-records.ts'
import type { Table } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationChanges } from '../../lib/adapters/aws/dynamo-revocation-changes.ts'
import { createRevocationPages } from '../../lib/adapters/aws/dynamo-revocation-pages.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createSinkBoard } from '../../lib/adapters/aws/dynamo-sink-board.ts'
import { createSinkErrands } from '../../lib/adapters/aws/dynamo-sink-errands.ts'
import { createSqsQueue } from '../../lib/adapters/aws/sqs-queue.ts'
import { logVerifierKeys, nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { Environment } from '../../lib/config/environment.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import type { ReadLogPorts } from '../../lib/flows/audit/read-log.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { compileStored } from '../../lib/wire/compile-stored.ts'
import { openCallers } from '../callers.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { placeOf } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const ADMIN_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_LOG_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_ORDERS_QUEUE',
  'MINTMARK_DENIALS_QUEUE',
] as const

export type AdminClients = TenantTableClients & { readonly sqs: SQSClient }

export const createAdmin = (
  environment: Environment<(typeof ADMIN_ENVIRONMENT)[number]>,
  { sqs, ...clients }: AdminClients,
): HttpHandler => {
  const log = createLogger('admin')
  const { table } = openTenantTable(environment.MINTMARK_CORE_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const logs = { ...table, name: environment.MINTMARK_LOG_TABLE }
  const baseUrl = environment.MINTMARK_BASE_URL
  const { configs, ports, settle } = openCallers({
    name: 'admin',
    table,
    sqs,
    baseUrl,
    denialsQueue: environment.MINTMARK_DENIALS_QUEUE,
    log,
    // Denials have no record: they are beside the tenant's log, a moment later.
    decisions: createDenialLookup(logs),
  })
  const options = { ...placeOf(baseUrl), catalog: PROVIDER_CATALOG, sha256: nodeDigest.sha256 }
  return createHandler({
    ports: {
      ...ports,
      orders: createSqsQueue({ client: sqs, queueUrl: environment.MINTMARK_ORDERS_QUEUE }),
      configs,
      compile: (version) => compileStored(version, options),
      catalog: PROVIDER_CATALOG,
      recent: createRecentRecords(table, ports.clock),
      revocations: createRevocationPages(createRevocationChanges(table), createRevocationStore(table)),
      receivers: createReceivers(table),
      applied: createAppliedOrders(table),
      lookUps: createLookUps(table),
      auditLog: readableLog(logs, table),
      sinks: {
        board: createSinkBoard(logs, createLogLeaves(logs)),
        errands: createSinkErrands(logs),
        anchors: createAnchorRecords(logs),
      },
    },
    log,
    settle,
  })
}

/** What `audit:read` opens: the same log that `mintmark audit --aws` reads. */
const readableLog = (logs: Table, core: Table): ReadLogPorts => {
  const log = { ...createPublicLog(logs, nodeSha256), ...createLogLeaves(logs) }
  const keys = createSigningKeyStore(core)
  return {
    log,
    retention: { expired: createExpired(logs) },
    sha256: nodeSha256,
    verifierKeys: async (tenant) => logVerifierKeys(keys, tenant, (await log.about(tenant))?.origin ?? ''),
  }
}
