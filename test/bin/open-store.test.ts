import { createPublicKey, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../bin/embedded/open-store.ts'
import { publicMembers, thumbprintOf } from '../../lib/adapters/keys/public-key.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { temporaryDirectory } from '../support/broker.ts'

const open = (dataDir: string, dev: boolean | null = true, masterKey?: string) => openStore({ dataDir, dev, masterKey })

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

/** A data directory with keys of a tenant, sealed under its own master key. */
const withKeys = async () => {
  const dataDir = temporaryDirectory()
  const first = open(dataDir)
  if (!first.ok) throw new Error(first.problem)
  const { database, vault } = first.store
  for (const use of ['token', 'signal'] as const) {
    const { publicKey, sealed } = await vault.generate({ tenant: 'acme', use, alg: 'ES256' })
    const publicJwk = publicMembers(createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }))
    const times = { createdAtSeconds: 1, provenAtSeconds: null, activatedAtSeconds: null, endedAtSeconds: null }
    const key = { tenant: 'acme', kid: thumbprintOf(publicJwk), alg: 'ES256', use, state: 'prepared', sealed } as const
    await createSigningKeyStore(database).insert({ ...key, publicJwk, ...times })
  }
  return { dataDir, database }
}

test('a master key that opens no key of the directory is refused: nothing could be signed, and new keys would be lost', async () => {
  const { dataDir, database } = await withKeys()
  database.close()
  const another = randomBytes(32).toString('base64')
  expect(open(dataDir, true, another)).toMatchObject({
    ok: false,
    problem: expect.stringMatching(/^the master key in MINTMARK_MASTER_KEY opens no key/),
  })
  const lost = openStore({ dataDir, dev: null, masterKey: another, isMasterKeyLost: true })
  expect(lost.ok).toBe(true)
  if (lost.ok) lost.store.database.close()
  const own = open(dataDir, true, readFileSync(join(dataDir, 'master.key'), 'utf8'))
  expect(own.ok).toBe(true)
  if (own.ok) own.store.database.close()
})

test('one altered key stops no other tenant', async () => {
  const { dataDir, database } = await withKeys()
  await database.write((sql) => sql("UPDATE signing_key SET sealed = x'00' WHERE use = 'token'").run())
  database.close()
  const opened = open(dataDir)
  expect(opened.ok).toBe(true)
  if (opened.ok) opened.store.database.close()
})

test.each([
  ['a file in its place', (path: string) => writeFileSync(path, ''), 'it is no directory'],
  [
    'a database that is none',
    (path: string) => {
      mkdirSync(path)
      writeFileSync(join(path, 'mintmark.db'), 'x'.repeat(999))
    },
    'file is not a database',
  ],
])('a data directory that cannot be opened says why: %s', (_, spoil, why) => {
  const dataDir = join(temporaryDirectory(), 'data')
  spoil(dataDir)
  expect(open(dataDir)).toEqual({ ok: false, problem: `the data directory ${dataDir} cannot be opened: ${why}` })
})
