// The laws of the audit log in memory; test/aws has DynamoDB.
import { createMemoryAuditLog } from '../../lib/adapters/memory/audit-log.ts'
import { describeAuditLog } from './audit-log.contract.ts'

describeAuditLog('memory', async () => {
  const log = createMemoryAuditLog()
  return { log, entries: async (tenant) => log.entries(tenant), close: async () => undefined }
})
