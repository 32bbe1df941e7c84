import { expect, test } from 'vitest'
import { createGrantStore } from '../../../lib/adapters/sqlite/grant-store.ts'
import { createRevocationStore } from '../../../lib/adapters/sqlite/revocation-store.ts'
import { createSigningKeyStore } from '../../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantConfigStore } from '../../../lib/adapters/sqlite/tenant-config-store.ts'
import { createTenantState } from '../../../lib/adapters/sqlite/tenant-state.ts'
import { startTimeMark } from '../../../lib/adapters/sqlite/time-mark.ts'
import { NOW_SECONDS, sampleConfig, sampleKey, samplePut, sampleRevocation } from '../../contract/sample-rows.ts'
import { open, temporaryDirectory } from './temporary-database.ts'

const query = {
  tenant: 'acme',
  selectors: [{ kind: 'project', issuer: 'github', value: '7654321' }],
  kid: 'kid-1',
  asksConfig: true,
} as const

test('what another process wrote, revocation, configuration or key state, is in the very next read', async () => {
  const dataDir = temporaryDirectory()
  const theirs = open(dataDir)
  const state = createTenantState(open(dataDir))
  expect(await state.read(query)).toEqual({ configVersion: null, revocations: [], keyState: null })
  await createTenantConfigStore(theirs).put(sampleConfig())
  expect(await state.read(query)).toMatchObject({ configVersion: 1 })
  await createSigningKeyStore(theirs).insert(sampleKey({ state: 'active' }))
  expect(await state.read(query)).toMatchObject({ keyState: 'active' })
  await createSigningKeyStore(theirs).move('acme', 'kid-1', 'active', 'tainted', NOW_SECONDS)
  expect(await state.read(query)).toMatchObject({ keyState: 'tainted' })
  const revocations = createRevocationStore(theirs)
  const block = await revocations.put(sampleRevocation())
  expect(await state.read(query)).toMatchObject({ revocations: [block] })
  await revocations.lift({ tenant: 'acme', id: block.id, by: 'uid:1000', reason: 'cleaned', atSeconds: NOW_SECONDS })
  expect(await state.read(query)).toMatchObject({ revocations: [] })
  await createTenantConfigStore(theirs).tombstone('acme', NOW_SECONDS, 'uid:1000')
  expect(await state.read(query)).toMatchObject({ configVersion: null })
})

test('what this process wrote itself is in the next read too, though data_version does not move for it', async () => {
  const database = open(temporaryDirectory())
  const state = createTenantState(database)
  await state.read(query)
  const block = await createRevocationStore(database).put(sampleRevocation())
  expect(await state.read(query)).toMatchObject({ revocations: [block] })
})

test('grants, of this process or another, leave the memory standing', async () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  const control = database.control()
  await createGrantStore(database).put(samplePut('a'))
  expect(database.control()).toBe(control)
  await createGrantStore(open(dataDir)).put(samplePut('b'))
  expect(database.control()).toBe(control)
})

test('a read that began after a revocation resolved sees it, also when it joins reads that wait', async () => {
  const dataDir = temporaryDirectory()
  const revocations = createRevocationStore(open(dataDir))
  const state = createTenantState(open(dataDir))
  for (let round = 0; round < 50; round += 1) {
    const early = Promise.all([state.read(query), state.read(query)])
    const block = await revocations.put(sampleRevocation())
    expect((await state.read(query)).revocations).toEqual([block])
    await early
    await revocations.lift({ tenant: 'acme', id: block.id, by: 'uid:1000', reason: 'again', atSeconds: NOW_SECONDS })
  }
})

test('the time mark outlives the process and is shared: it never starts below what another has seen', async () => {
  const dataDir = temporaryDirectory()
  const first = startTimeMark(open(dataDir))
  first.raise(NOW_SECONDS)
  await first.flush()
  const second = startTimeMark(open(dataDir))
  expect(second.highestSeconds()).toBe(NOW_SECONDS)
  second.raise(NOW_SECONDS + 10)
  await second.close()
  await first.flush()
  expect(first.highestSeconds()).toBe(NOW_SECONDS + 10)
  await first.close()
})
