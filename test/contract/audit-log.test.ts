// The laws of the audit log in memory and in the tree of audit.db; test/aws has DynamoDB.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryAuditLog } from '../../lib/adapters/memory/audit-log.ts'
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'
import { eventsOf } from '../../lib/domain/ocsf/map-entry.ts'
import { openAudit, treeLogOver } from '../support/tree-log.ts'
import { describeAuditLog } from './audit-log.contract.ts'

describeAuditLog('memory', async () => {
  const log = createMemoryAuditLog()
  return { log, entries: async (tenant) => log.entries(tenant), close: async () => undefined }
})

describeAuditLog('tree', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-log-'))
  const database = openAudit(dataDir)
  const { log, store } = treeLogOver(database)
  // The tree keeps events, not entries: which one an event is of is remembered here.
  const brought = new Map<string, AuditEntry>()
  return {
    log: {
      append(tenant, entries) {
        for (const entry of entries) {
          const [event] = eventsOf(entry, { issuerUrl: '' }, () => null)
          brought.set(`${tenant} ${event!.metadata.uid}`, entry)
        }
        return log.append(tenant, entries)
      },
    },
    async entries(tenant) {
      const leaves = await store.leaves(tenant, 0, 10_000)
      if (leaves.some(({ index }, at) => index !== at)) throw new Error('there is a gap')
      return leaves.flatMap(({ canonical }) => {
        const { uid } = (JSON.parse(canonical) as { metadata: { uid: string } }).metadata
        return brought.get(`${tenant} ${uid}`) ?? []
      })
    },
    async close() {
      database.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
})
