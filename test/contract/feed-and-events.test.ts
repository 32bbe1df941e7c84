// Changes and lists of revocations and security events in memory and SQLite; test/aws has DynamoDB.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemorySecurityEvents } from '../../lib/adapters/memory/security-events.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createRevocationChanges } from '../../lib/adapters/sqlite/revocation-changes.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createSecurityEvents } from '../../lib/adapters/sqlite/security-events.ts'
import { describeRevocationChanges } from './revocation-changes.contract.ts'
import { describeRevocationPages } from './revocation-pages.contract.ts'
import { describeSecurityEvents } from './security-events.contract.ts'

const openData = () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mintmark-feed-'))
  const databases = [0, 1].map(() => openDatabase({ dataDir, dev: false }))
  return {
    databases,
    async close() {
      for (const database of databases) database.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

describeRevocationChanges('sqlite', async () => {
  const { databases, close } = openData()
  const [one, two] = databases as [(typeof databases)[0], (typeof databases)[0]]
  const stores = [createRevocationStore(one), createRevocationStore(two)] as const
  return { changes: createRevocationChanges(one), stores, close }
})

describeRevocationPages('sqlite', async () => {
  const { databases, close } = openData()
  const store = createRevocationStore(databases[0]!)
  return { pages: store, store, close }
})

describeSecurityEvents('memory', async () => ({ events: createMemorySecurityEvents(), close: async () => undefined }))
describeSecurityEvents('sqlite', async () => {
  const { databases, close } = openData()
  return { events: createSecurityEvents(databases[0]!), close }
})
