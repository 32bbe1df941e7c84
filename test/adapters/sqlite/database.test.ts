import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { DataDirectoryRefused } from '../../../lib/adapters/sqlite/data-directory.ts'
import { openDatabase } from '../../../lib/adapters/sqlite/database.ts'
import { createGrantStore } from '../../../lib/adapters/sqlite/grant-store.ts'
import { createTenantState } from '../../../lib/adapters/sqlite/tenant-state.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { samplePut } from '../../contract/sample-rows.ts'
import { COMES_WITHIN_MS, until } from '../../support/until.ts'
import { open, otherConnection, temporaryDirectory } from './temporary-database.ts'

const file = (dataDir: string): string => join(dataDir, 'mintmark.db')
const outage = { name: 'Unavailable', kind: 'store_unavailable' }

/** Puts until the store takes one: it must come back by itself. */
const recovers = (put: () => Promise<unknown>) =>
  until('a store that takes a record again', () =>
    put().then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof Unavailable)) throw error
        return false
      },
    ),
  )

test('WAL and synchronous=FULL are in force on the connection that writes', () => {
  const database = open(temporaryDirectory())
  expect(database.read((sql) => sql('PRAGMA synchronous').get())).toEqual({ synchronous: 2 })
  expect(database.read((sql) => sql('PRAGMA journal_mode').get())).toEqual({ journal_mode: 'wal' })
})

test('only the owner may read the store', async () => {
  const dataDir = join(temporaryDirectory(), 'data')
  const database = open(dataDir)
  await createGrantStore(database).put(samplePut('guard'))
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
  for (const suffix of ['', '-wal', '-shm']) expect(statSync(`${file(dataDir)}${suffix}`).mode & 0o777).toBe(0o600)
})

test.each([
  [true, false, 'dev_directory'],
  [false, true, 'not_a_dev_directory'],
] as const)(
  'a directory made with dev=%s is refused to serve with dev=%s, and open to other commands',
  (made, wanted, problem) => {
    const dataDir = temporaryDirectory()
    openDatabase({ dataDir, dev: made }).close()
    expect(() => openDatabase({ dataDir, dev: wanted })).toThrow(expect.objectContaining({ problem }))
    openDatabase({ dataDir, dev: made }).close()
    openDatabase({ dataDir, dev: null }).close()
  },
)

test('a directory first used by a command is not a dev directory', () => {
  const dataDir = temporaryDirectory()
  openDatabase({ dataDir, dev: null }).close()
  expect(() => openDatabase({ dataDir, dev: true })).toThrow(DataDirectoryRefused)
})

test('another format is refused, a later step of this one is not', () => {
  const dataDir = temporaryDirectory()
  openDatabase({ dataDir, dev: false }).close()
  const other = otherConnection(dataDir)
  other.exec('PRAGMA user_version = 1099')
  openDatabase({ dataDir, dev: false }).close()
  other.exec('PRAGMA user_version = 2001')
  expect(() => openDatabase({ dataDir, dev: false })).toThrow(expect.objectContaining({ problem: 'unknown_format' }))
})

test('a file that is no database is not overwritten', () => {
  const dataDir = temporaryDirectory()
  writeFileSync(file(dataDir), 'something else entirely, of a certain length '.repeat(50))
  expect(() => openDatabase({ dataDir, dev: false })).toThrow()
  expect(readFileSync(file(dataDir), 'utf8')).toContain('something else entirely')
})

test('a lost file is an outage until it is back, is never made anew, and needs no restart', async () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  const grants = createGrantStore(database)
  const state = createTenantState(database)
  const query = { tenant: 'acme', selectors: [], kid: null, asksConfig: true }
  await grants.put(samplePut('before'))
  const aside = join(dataDir, 'aside')
  mkdirSync(aside)
  for (const suffix of ['', '-wal', '-shm'])
    renameSync(`${file(dataDir)}${suffix}`, join(aside, `mintmark.db${suffix}`))

  await expect(grants.put(samplePut('during'))).rejects.toMatchObject(outage)
  await expect(grants.find('acme', 'before')).rejects.toMatchObject(outage)
  await expect(state.read(query)).rejects.toMatchObject(outage)
  await sleep(150)
  await expect(grants.put(samplePut('during'))).rejects.toMatchObject(outage)
  expect(existsSync(file(dataDir))).toBe(false)

  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(join(aside, `mintmark.db${suffix}`)))
      renameSync(join(aside, `mintmark.db${suffix}`), `${file(dataDir)}${suffix}`)
  }
  await recovers(() => grants.put(samplePut('after')))
  expect(await grants.put(samplePut('before'))).toMatchObject({ outcome: 'exists' })
  await state.read(query)
})

test('a store that was replaced is read anew: nothing remembered of the old one is answered', async () => {
  const dataDir = temporaryDirectory()
  const spare = temporaryDirectory()
  openDatabase({ dataDir: spare, dev: false }).close()
  const database = open(dataDir)
  const grants = createGrantStore(database)
  const before = database.control()
  await grants.put(samplePut('guard'))
  for (const suffix of ['-wal', '-shm']) rmSync(`${file(dataDir)}${suffix}`, { force: true })
  copyFileSync(file(spare), join(dataDir, 'new'))
  renameSync(join(dataDir, 'new'), file(dataDir))
  await recovers(() => grants.put(samplePut('another')))
  expect(await grants.find('acme', 'guard')).toBeNull()
  expect(database.control()).not.toEqual(before)
})

test('a store overwritten with garbage is an outage, and serves again when the backup is put in its place', async () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  const grants = createGrantStore(database)
  await grants.put(samplePut('before'))
  database.read((sql) => sql('PRAGMA wal_checkpoint(TRUNCATE)').all())
  const backup = join(dataDir, 'backup')
  copyFileSync(file(dataDir), backup)
  writeFileSync(join(dataDir, 'garbage'), 'garbage '.repeat(8192))
  renameSync(join(dataDir, 'garbage'), file(dataDir))
  await expect(grants.put(samplePut('during'))).rejects.toMatchObject(outage)
  await sleep(150)
  await expect(grants.put(samplePut('during'))).rejects.toMatchObject(outage)
  for (const suffix of ['-wal', '-shm']) rmSync(`${file(dataDir)}${suffix}`, { force: true })
  renameSync(backup, file(dataDir))
  await recovers(() => grants.put(samplePut('after')))
  expect(await grants.put(samplePut('before'))).toMatchObject({ outcome: 'exists' })
})

test('a lock held by somebody else is waited out, but not for ever, and the event loop goes on meanwhile', async () => {
  const dataDir = temporaryDirectory()
  const patient = createGrantStore(open(dataDir, { waitMs: COMES_WITHIN_MS }))
  const other = otherConnection(dataDir)
  other.exec('BEGIN IMMEDIATE')
  let isHeld = true
  const short = patient.put(samplePut('short')).then((answer) => [answer, isHeld])
  // Who waited for it without giving up the event loop would wait for ever: it is given back here.
  for (let turns = 0; turns < 20; turns += 1) await sleep(5)
  isHeld = false
  other.exec('ROLLBACK')
  expect(await short).toEqual([{ outcome: 'created' }, false])

  const grants = createGrantStore(open(dataDir, { waitMs: 300 }))
  other.exec('BEGIN IMMEDIATE')
  // Nobody gives the lock back: that they settle at all is the bound on their waiting.
  const puts = Array.from({ length: 100 }, (_, at) => grants.put(samplePut(`long-${at}`)))
  const settled = await Promise.allSettled(puts)
  expect(settled.every((put) => put.status === 'rejected' && put.reason instanceof Unavailable)).toBe(true)
  // Reads are not held up by a writer: revocations are still answered.
  expect(await grants.find('acme', 'short')).not.toBeNull()
  other.exec('ROLLBACK')
  expect(await grants.put(samplePut('long-0'))).toEqual({ outcome: 'created' })
})

test('L7: a full disk refuses new records, keeps every marker and every read, and recovers by itself', async () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  const grants = createGrantStore(database)
  await grants.put(samplePut('kept'))
  const pages = Number(database.read((sql) => sql('PRAGMA page_count').get())?.['page_count'])
  database.read((sql) => sql(`PRAGMA max_page_count = ${pages + 2}`).get())
  const settled = await Promise.allSettled(Array.from({ length: 64 }, (_, at) => grants.put(samplePut(`full-${at}`))))
  expect(settled.every((put) => put.status === 'rejected' && put.reason instanceof Unavailable)).toBe(true)
  expect(await grants.find('acme', 'full-0')).toBeNull()
  expect(await grants.find('acme', 'kept')).not.toBeNull()
  database.read((sql) => sql('PRAGMA max_page_count = 1000000').get())
  expect(await grants.put(samplePut('full-0'))).toEqual({ outcome: 'created' })
  expect(await grants.put(samplePut('kept'))).toMatchObject({ outcome: 'exists' })
})

test('a write that was undone leaves no transaction behind', async () => {
  const database = open(temporaryDirectory())
  const grants = createGrantStore(database)
  await expect(
    database.write(() => {
      throw new Error('a bug')
    }),
  ).rejects.toThrow('a bug')
  expect(await grants.put(samplePut('guard'))).toEqual({ outcome: 'created' })
})

test('a closed store is an outage', async () => {
  const database = openDatabase({ dataDir: temporaryDirectory(), dev: false })
  database.close()
  await expect(createGrantStore(database).put(samplePut('guard'))).rejects.toMatchObject(outage)
})
