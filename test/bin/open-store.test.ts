import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../bin/embedded/open-store.ts'
import { temporaryDirectory } from '../support/broker.ts'

const open = (dataDir: string, dev: boolean | null = true) => openStore({ dataDir, dev, masterKey: undefined })

test('a first start makes database and master key, a second one opens them', () => {
  const dataDir = temporaryDirectory()
  const first = open(dataDir)
  if (first.ok) first.store.database.close()
  expect(readdirSync(dataDir)).toEqual(expect.arrayContaining(['mintmark.db', 'master.key']))
  const second = open(dataDir)
  expect(second.ok).toBe(true)
  if (second.ok) second.store.database.close()
})

test('a lost database is not replaced by an empty one: that would forget what was redeemed', () => {
  const dataDir = temporaryDirectory()
  const first = open(dataDir)
  if (first.ok) first.store.database.close()
  for (const name of readdirSync(dataDir)) if (name.startsWith('mintmark.db')) rmSync(join(dataDir, name))
  expect(open(dataDir)).toMatchObject({ ok: false, problem: expect.stringContaining('no database') })
})

test('a development directory is not served without --dev (design §9)', () => {
  const dataDir = temporaryDirectory()
  const first = open(dataDir)
  if (first.ok) first.store.database.close()
  expect(open(dataDir, false)).toMatchObject({ ok: false, problem: expect.stringContaining('--dev') })
})
