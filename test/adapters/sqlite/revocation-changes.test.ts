import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createRevocationChanges } from '../../../lib/adapters/sqlite/revocation-changes.ts'
import { createRevocationStore } from '../../../lib/adapters/sqlite/revocation-store.ts'
import { FORMAT, MIGRATIONS } from '../../../lib/adapters/sqlite/schema.ts'
import type { Revocation } from '../../../lib/domain/revocation.ts'
import { open, otherConnection, temporaryDirectory } from './temporary-database.ts'

const block = (value: string, more: Partial<Revocation> = {}): Revocation => ({
  id: randomUUID(),
  tenant: 'acme',
  kind: 'run',
  issuer: 'github',
  value,
  form: 'block',
  notBeforeSeconds: null,
  reason: 'x',
  by: 'uid:1',
  atSeconds: 1,
  ...more,
})
const lift = ({ tenant, id }: Revocation) => ({ tenant, id, by: 'uid:1', reason: 'x', atSeconds: 2 })

test('each change has the next number of its tenant; what changes nothing has none', async () => {
  const database = open(temporaryDirectory())
  const [store, changes] = [createRevocationStore(database), createRevocationChanges(database)]
  expect(await changes.since('acme', 0, 9)).toEqual({ head: 0, next: 0, changes: [] })
  const one = await store.put(block('1'))
  await store.put(block('of another tenant', { tenant: 'globex' }))
  const cut = { form: 'cut', kind: 'project' } as const
  await store.put(block('2', { ...cut, notBeforeSeconds: 50 }))
  expect(await changes.head('acme')).toBe(2)
  // The same again, and an earlier bound: nothing of it is news.
  await store.put(block('1'))
  await store.put(block('2', { ...cut, notBeforeSeconds: 40 }))
  expect(await changes.head('acme')).toBe(2)
  await store.put(block('2', { ...cut, notBeforeSeconds: 60 }))
  await store.lift(lift(one))
  const all = await changes.since('acme', 0, 9)
  expect([all.head, all.next]).toEqual([4, 4])
  expect(all.changes).toEqual([
    { kind: 'project', issuer: 'github', value: '2', form: 'cut', notBeforeSeconds: 60, isLifted: false },
    { kind: 'run', issuer: 'github', value: '1', form: 'block', notBeforeSeconds: null, isLifted: true },
  ])
  expect(await changes.since('acme', 4, 9)).toEqual({ head: 4, next: 4, changes: [] })
  expect((await changes.since('acme', 0, 1)).next).toBe(3)
  expect(await changes.head('globex')).toBe(1)
})

test('rows of the version before are numbered in the order of their changes, and that version goes on beside this one', async () => {
  const dataDir = temporaryDirectory()
  mkdirSync(dataDir, { recursive: true })
  const before = MIGRATIONS.findIndex((step) => step.includes('revocation_feed'))
  const old = new DatabaseSync(join(dataDir, 'mintmark.db'))
  for (const step of MIGRATIONS.slice(0, before)) old.exec(step)
  old.exec(`PRAGMA user_version = ${FORMAT * 1000 + before}; INSERT INTO store (id, dev) VALUES (1, 0)`)
  const insert = (value: string, changed: number) =>
    `INSERT INTO revocation (id, tenant, kind, issuer, value, form, not_before, reason, by, at, changed)
     VALUES ('${randomUUID()}', 'acme', 'run', 'github', '${value}', 'block', NULL, 'x', 'y', 1, ${changed})`
  old.exec(insert('late', 9))
  old.exec(insert('early', 3))
  old.close()

  const database = open(dataDir)
  const changes = createRevocationChanges(database)
  const values = async () => (await changes.since('acme', 0, 9)).changes.map(({ value }) => value)
  expect(await values()).toEqual(['early', 'late'])
  otherConnection(dataDir).exec(insert('by the version before', 10))
  expect([await values(), await changes.head('acme')]).toEqual([['early', 'late', 'by the version before'], 3])
})

test('of two processes that write at once, no two changes share a number and none is left out', async () => {
  const dataDir = temporaryDirectory()
  const stores = [createRevocationStore(open(dataDir)), createRevocationStore(open(dataDir))]
  await Promise.all(Array.from({ length: 200 }, (_, at) => stores[at % 2]!.put(block(String(at)))))
  const { head, changes } = await createRevocationChanges(open(dataDir)).since('acme', 0, 1_000)
  expect([head, new Set(changes.map(({ value }) => value)).size]).toEqual([200, 200])
})
