// The laws of the audit log in memory and in the tree of audit.db; test/aws has DynamoDB.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryAuditLog } from '../../lib/adapters/memory/audit-log.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { openAudit, remembering, treeLogOver } from '../support/tree-log.ts'
import { describeAuditLog } from './audit-log.contract.ts'
import { describeTenantLog } from './tenant-log.contract.ts'

describeAuditLog('memory', async () => {
  const log = createMemoryAuditLog()
  return { log, entries: async (tenant) => log.entries(tenant), close: async () => undefined }
})

describeAuditLog('tree', async () => {
  const { database, close } = openAuditDirectory()
  const { log, store } = treeLogOver(database)
  return { ...remembering(log, store.leaves), close }
})

describeTenantLog('sqlite', async () => {
  const { database, close } = openAuditDirectory()
  const store = createTenantLog(database)
  return { store, published: store, leaves: store, close }
})

const openAuditDirectory = () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-log-'))
  const database = openAudit(dataDir)
  return {
    database,
    async close() {
      database.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
