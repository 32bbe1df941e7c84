// What a thread that verifies says of records: those it saw the leaf of are not looked for again, and every other one is.
import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { openLog } from '../../bin/audit/open-log.ts'
import { answererOf, unloggedIn } from '../../bin/audit/verify-crew.ts'
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import type { FeedItem } from '../../lib/domain/audit-entry.ts'
import { AUDIT_READER } from '../../lib/flows/audit/pump-feed.ts'
import { recordsWithoutLeaf } from '../../lib/flows/audit/reconcile-log.ts'
import { open, temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { samplePut } from '../contract/sample-rows.ts'
import { openAudit, treeLogOver } from '../support/tree-log.ts'

const RECORDS = 600

/** Records of acme, every fifth of another tenant; of those `without` there is no leaf. All are acknowledged. */
const setUp = async (
  without: readonly number[],
  alter: (database: Database) => Promise<void> = async () => undefined,
) => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  const grants = createGrantStore(database)
  const puts = Array.from({ length: RECORDS }, (_, at) =>
    samplePut(randomUUID(), {}, { tenant: at % 5 === 4 ? 'globex' : 'acme' }),
  )
  for (const put of puts) await grants.put(put)
  const feed = createChangeFeed(database)
  const changes = await feed.read('grant', 0, 2 * RECORDS)
  const audit = openAudit(dataDir)
  const { log } = treeLogOver(audit)
  const entryOf = (item: FeedItem) => (item.kind === 'entry' ? [item.entry] : [])
  const brought = changes.filter((_, at) => puts[at]!.record.tenant === 'acme' && !without.includes(at))
  await log.append(
    'acme',
    brought.flatMap(({ item }) => entryOf(item)),
  )
  await feed.acknowledge(AUDIT_READER, 'grant', changes.at(-1)!.sequence)
  audit.close()
  await alter(database)
  const opened = await openLog(dataDir, 'acme')
  onTestFinished(() => opened.close())
  const { size } = (await opened.log.about('acme'))!
  const answerer = await answererOf({ kind: 'data', dataDir, tenant: 'acme', isErased: false })
  const checked = await answerer.leaves({ stretch: { start: 0, width: size }, expired: 0 })
  return { opened, checked, idOf: (at: number) => puts[at]!.record.decisionId }
}

test('a record without a leaf is found, whether between others, at a side of them, or beside one more', async () => {
  // In the feed: at both ends, side by side, next to another tenant's, and where a bundle of 256 leaves ends.
  const without = [0, 100, 101, 103, 160, 161, 320, 595, 598]
  const { opened, checked, idOf } = await setUp(without)
  const { flaw, events, logged = [] } = checked
  expect({ flaw, events }).toEqual({ flaw: null, events: 2 * (RECORDS * 0.8 - without.length) })
  const ids = async (spans: typeof logged) => (await unloggedIn(opened, spans)).map(({ id }) => id)
  expect(await ids(logged)).toEqual(without.map(idOf))
  expect(await ids([])).toEqual(without.map(idOf))
})

test('a row that was made to say it is one that has its leaf is still without', async () => {
  const { opened, checked, idOf } = await setUp([201], (database) =>
    database.write((sql) => {
      sql('DROP TRIGGER grant_record_is_append_only').run()
      sql('UPDATE grant_record SET body = (SELECT body FROM grant_record WHERE seq = 201) WHERE seq = 202').run()
    }),
  )
  expect(checked.flaw).toBeNull()
  expect((await unloggedIn(opened, checked.logged)).map(({ id }) => id)).toEqual([idOf(201)])
})

test('of a log that has all its records hardly any is read twice', async () => {
  const { opened, checked } = await setUp([])
  const feed = createChangeFeed(opened.database)
  let read = 0
  const counting = {
    ...feed,
    async names(after: number, limit: number) {
      const rows = await feed.names(after, limit)
      read += rows.length
      return rows
    },
  }
  const ports = { feed: counting, store: opened.log, retention: opened.retention }
  expect(await recordsWithoutLeaf(ports, 'acme', checked.logged)).toEqual([])
  // Of another tenant, where one bundle ends and the next begins.
  expect(read).toBeLessThan(10)
  expect(await recordsWithoutLeaf(ports, 'acme')).toEqual([])
  expect(read).toBeGreaterThan(RECORDS)
})
