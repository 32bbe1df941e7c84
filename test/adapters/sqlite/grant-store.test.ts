import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createChangeFeed } from '../../../lib/adapters/sqlite/change-feed.ts'
import { createGrantStore } from '../../../lib/adapters/sqlite/grant-store.ts'
import { createGroupCommit } from '../../../lib/adapters/sqlite/group-commit.ts'
import { nameOfEntry } from '../../../lib/domain/audit-entry.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { sampleNotIssued, samplePut } from '../../contract/sample-rows.ts'
import { open, otherConnection, temporaryDirectory } from './temporary-database.ts'

test('one bad row among 32 fails alone: too large, a decision id twice, an id that is none, a value SQLite cannot hold', async () => {
  const grants = createGrantStore(open(temporaryDirectory()))
  const taken = samplePut('taken')
  await grants.put(taken)
  const bad = new Map([
    [3, samplePut('too-large', {}, { grant: 'x'.repeat(70_000) })],
    [11, samplePut('id-twice', {}, { decisionId: taken.record.decisionId })],
    [17, samplePut('no-id', {}, { decisionId: 'no id' })],
    [31, samplePut('no-integer', { keepUntilSeconds: 1.5 })],
  ])
  const puts = Array.from({ length: 32 }, (_, at) => bad.get(at) ?? samplePut(`guard-${at}`))
  const settled = await Promise.allSettled(puts.map((put) => grants.put(put)))
  const failed = settled.flatMap((put, at) => (put.status === 'rejected' ? [at] : []))
  expect(failed).toEqual([...bad.keys()])
  for (const put of settled) {
    if (put.status === 'fulfilled') expect(put.value).toEqual({ outcome: 'created' })
    else expect(put.reason).not.toBeInstanceOf(Unavailable)
  }
  for (const put of bad.values()) expect(await grants.find('acme', put.guard)).toBeNull()
})

test('requests of one turn share a commit', async () => {
  const database = open(temporaryDirectory())
  const grants = createGrantStore(database)
  await grants.put(samplePut('first'))
  const dataVersion = otherConnectionVersion(
    database.read((sql) => String(sql('PRAGMA database_list').get()?.['file'])),
  )
  const before = dataVersion()
  await Promise.all(Array.from({ length: 32 }, (_, at) => grants.put(samplePut(`guard-${at}`))))
  expect(dataVersion() - before).toBe(1)
})

const otherConnectionVersion = (file: string): (() => number) => {
  const other = otherConnection(file.replace(/\/mintmark\.db$/, ''))
  return () => Number(other.prepare('PRAGMA data_version').get()?.['data_version'])
}

test('L3: every created record is in the feed, in the order of commit, and a reader resumes where it acknowledged', async () => {
  const database = open(temporaryDirectory())
  const grants = createGrantStore(database)
  const feed = createChangeFeed(database)
  const puts = Array.from({ length: 150 }, () => samplePut(randomUUID()))
  await Promise.all([...puts, puts[0]!].map((put) => grants.put({ ...put })))
  await grants.putNotIssued(sampleNotIssued(puts[0]!))
  const first = await feed.read('grant', 0, 100)
  const rest = await feed.read('grant', first.at(-1)!.sequence, 100)
  const ids = [...first, ...rest].map(({ item }) => (item.kind === 'entry' ? nameOfEntry(item.entry).id : null))
  expect(ids).toEqual(puts.map(({ record }) => record.decisionId))
  expect(await feed.read('not_issued', 0, 10)).toMatchObject([{ item: { entry: { outcome: { decisionId: ids[0] } } } }])
  expect(await feed.acknowledged('audit', 'grant')).toBeNull()
  await feed.acknowledge('audit', 'grant', 100)
  await feed.acknowledge('audit', 'grant', 50)
  expect(await feed.acknowledged('audit', 'grant')).toBe(100)
})

test('records cannot be changed, not even by our own SQL', async () => {
  const database = open(temporaryDirectory())
  await createGrantStore(database).put(samplePut('guard'))
  await expect(database.write((sql) => sql("UPDATE grant_record SET body = '{}'").run())).rejects.toThrow(
    'never changed',
  )
})

test('a row altered behind our back is an error, not an answer', async () => {
  const dataDir = temporaryDirectory()
  const grants = createGrantStore(open(dataDir))
  await grants.put(samplePut('version'))
  await grants.put(samplePut('tenant'))
  otherConnection(dataDir).exec(`DROP TRIGGER grant_record_is_append_only;
    UPDATE grant_record SET body = replace(body, '"v":1', '"v":2') WHERE seq = 1;
    UPDATE grant_record SET tenant = 'globex' WHERE seq = 2`)
  await expect(grants.find('acme', 'version')).rejects.toThrow('version')
  await expect(grants.find('acme', 'tenant')).rejects.toThrow('another tenant')
})

test('L6: where the commit is in doubt the database is asked, and only what is there was done', async () => {
  const database = open(temporaryDirectory())
  // The commit happens and its reply is lost; and a commit that never happened.
  const lost = {
    write: async (work: never) => database.write(work).then(() => Promise.reject(new Unavailable('store_unavailable'))),
  }
  const never = { write: async () => Promise.reject(new Unavailable('store_unavailable')) }
  const rest = { read: database.read.bind(database), deadlineMs: () => performance.now() }
  const put = samplePut('guard')
  expect(await createGrantStore({ ...rest, ...lost } as never).put(put)).toEqual({ outcome: 'created' })
  await expect(createGrantStore({ ...rest, ...never } as never).put(samplePut('never'))).rejects.toMatchObject({
    kind: 'store_unavailable',
  })
  // Somebody else's record under the guard is no proof that ours was written.
  expect(await createGrantStore({ ...rest, ...never } as never).put(samplePut('guard'))).toMatchObject({
    outcome: 'exists',
    existing: put.record,
  })
  await createGrantStore({ ...rest, ...lost } as never).putNotIssued(sampleNotIssued(put))
  await expect(
    createGrantStore({ ...rest, ...never } as never).putNotIssued(sampleNotIssued(samplePut('other'))),
  ).rejects.toThrow()
})

test('a bug in one job fails that job and no other', async () => {
  const commits = createGroupCommit(open(temporaryDirectory()))
  const readBack = () => null
  const jobs = [1, 2, 3].map((at) => {
    const run = () => {
      if (at === 2) throw new Error('a bug')
      return at
    }
    return commits.submit({ run, readBack })
  })
  expect(await Promise.allSettled(jobs)).toMatchObject([{ value: 1 }, { status: 'rejected' }, { value: 3 }])
})
