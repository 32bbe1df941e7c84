// Pages of audit.db: large in a file that is made, and as they are in one that an earlier version made; and how much one commit holds.
import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { nodeSha256 } from '../../../lib/adapters/keys/log-signer.ts'
import { AUDIT } from '../../../lib/adapters/sqlite/audit-schema.ts'
import type { Database } from '../../../lib/adapters/sqlite/database.ts'
import { createTenantLog } from '../../../lib/adapters/sqlite/tenant-log.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { rootOfEdge } from '../../../lib/domain/tlog/tiles.ts'
import { utf8Length } from '../../../lib/domain/utf8.ts'
import type { Growth } from '../../../lib/ports/tenant-log.ts'
import { sampleRecord } from '../../contract/sample-rows.ts'
import { openAudit, treeLogIn, treeLogOver } from '../../support/tree-log.ts'
import { open, temporaryDirectory } from './temporary-database.ts'

const pragma = (database: Database, name: string): number =>
  database.read((sql) => Number(Object.values(sql(`PRAGMA ${name}`).get()!)[0]))

const grants = (count: number) =>
  Array.from({ length: count }, () => ({ kind: 'grant' as const, record: sampleRecord({ decisionId: randomUUID() }) }))

test('a log that was made with small pages is read and goes on as it is', async () => {
  const dataDir = temporaryDirectory()
  const before = open(dataDir, { schema: { ...AUDIT, pageBytes: 4_096 } })
  await treeLogOver(before).log.append('acme', grants(300))
  const wal = pragma(before, 'wal_autocheckpoint')
  before.close()
  const audit = open(dataDir, { schema: AUDIT })
  const { log, store } = treeLogOver(audit)
  await log.append('acme', grants(300))
  expect(pragma(audit, 'page_size')).toBe(4_096)
  expect(pragma(audit, 'wal_autocheckpoint')).toBe(wal)
  expect((await store.leaves('acme', 0, 2_000)).map(({ index }) => index)).toEqual(
    Array.from({ length: 1_200 }, (_, at) => at),
  )
  expect(rootOfEdge(nodeSha256, (await store.head('acme'))!.edge)).toHaveLength(32)
})

test('one that is made has pages that several events fit in, and a WAL of the same length', () => {
  const audit = openAudit(temporaryDirectory())
  onTestFinished(() => audit.close())
  const main = open(temporaryDirectory())
  expect(pragma(audit, 'page_size')).toBe(16_384)
  expect(pragma(main, 'page_size')).toBe(4_096)
  const walBytes = (database: Database) => pragma(database, 'wal_autocheckpoint') * pragma(database, 'page_size')
  expect(walBytes(audit)).toBe(walBytes(main))
  expect(audit.read((sql) => sql('PRAGMA journal_mode').get())).toEqual({ journal_mode: 'wal' })
})

test('a commit has no more events than may be in memory at once, however long they are', async () => {
  const audit = openAudit(temporaryDirectory())
  onTestFinished(() => audit.close())
  const store = createTenantLog(audit)
  const commits: Growth[] = []
  const { log } = treeLogIn({
    ...store,
    commit(tenant, expectedSize, growth) {
      commits.push(growth)
      return store.commit(tenant, expectedSize, growth)
    },
  })
  // Twenty texts of 2 KiB.
  const wid = {
    provider: 'github',
    ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`x.${at}`, 'ž'.repeat(1_000)])),
  }
  const entries = grants(LIMITS.logEntriesPerCommit).map(({ kind, record }) => ({ kind, record: { ...record, wid } }))
  await log.append('acme', entries)
  const bytes = commits.map(({ leaves }) => leaves.reduce((sum, { canonical }) => sum + utf8Length(canonical), 0))
  expect(Math.max(...bytes)).toBeLessThanOrEqual(LIMITS.logBytesPerCommit)
  expect(Math.min(...bytes.slice(0, -1))).toBeGreaterThan(LIMITS.logBytesPerCommit / 2)
  expect((await store.about('acme'))!.size).toBe(2 * entries.length)
})
