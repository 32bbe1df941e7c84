// Carried-out orders in memory and SQLite; test/aws has DynamoDB.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryAppliedOrders } from '../../lib/adapters/memory/applied-orders.ts'
import { createAppliedOrders } from '../../lib/adapters/sqlite/applied-orders.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { describeAppliedOrders } from './applied-orders.contract.ts'

describeAppliedOrders('memory', async () => ({ orders: createMemoryAppliedOrders(), close: async () => undefined }))

describeAppliedOrders('sqlite', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-orders-'))
  const database = openDatabase({ dataDir, dev: false })
  return {
    orders: createAppliedOrders(database),
    async close() {
      database.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
})
