// How long a tenant directory may answer from memory.
import { expect, test } from 'vitest'
import {
  createTenantDirectory,
  forSeconds,
  type Validity,
  whileListedAlike,
  whileUnmoved,
} from '../../../lib/adapters/config/tenant-directory.ts'
import { createMemoryTenantConfigStore } from '../../../lib/adapters/memory/tenant-config-store.ts'
import type { TenantConfig } from '../../../lib/domain/tenant-config.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { NOW_SECONDS, sampleConfig } from '../../contract/sample-rows.ts'
import { handClock } from '../../support/own-keys.ts'

const directoryOf = async (validity: Validity) => {
  const configs = createMemoryTenantConfigStore()
  await configs.put(sampleConfig())
  const directory = createTenantDirectory({
    configs,
    validity,
    compile: ({ tenant, version, digest }) => ({ tenant, version, digest }) as TenantConfig,
    onUnusable: () => expect.fail('the sample compiles'),
  })
  return { configs, directory }
}

test('for seconds: from memory that long by either clock, then asked for again', async () => {
  const clock = handClock()
  const { directory } = await directoryOf(forSeconds(clock, 30))
  expect(directory.peek('acme')).toBeUndefined()
  const config = await directory.current('acme')
  clock.add(29)
  expect(directory.peek('acme')).toBe(config)
  clock.add(1)
  expect(directory.peek('acme')).toBeUndefined()
  await directory.current('acme')
  // A clock that is set back makes nothing younger.
  clock.add(-40)
  expect(directory.peek('acme')).toBeUndefined()
})

test('current() asks the store whatever is in memory: what mint calls when the version has moved', async () => {
  const { configs, directory } = await directoryOf(forSeconds(handClock(), 30))
  await directory.current('acme')
  await configs.put(sampleConfig({ version: 2, digest: 'digest-2' }))
  expect(directory.peek('acme')?.version).toBe(1)
  expect((await directory.current('acme'))?.version).toBe(2)
  await configs.tombstone('acme', NOW_SECONDS, 'uid:1000')
  expect(await directory.current('acme')).toBeNull()
  expect(directory.peek('acme')).toBeNull()
})

test('while unmoved: a mark taken before the read; a write that lands in between is not missed', async () => {
  let mark = 0
  const { configs, directory } = await directoryOf(whileUnmoved(() => mark))
  const reading = directory.current('acme')
  mark += 1
  await configs.put(sampleConfig({ version: 2, digest: 'digest-2' }))
  await reading
  expect(directory.peek('acme')).toBeUndefined()
  await directory.current('acme')
  expect(directory.peek('acme')?.version).toBe(2)
})

test('what cannot be told to hold is not at hand: the outage is told by current(), and ends with the store', async () => {
  let isAway = false
  const { directory } = await directoryOf(
    whileUnmoved(() => {
      if (isAway) throw new Unavailable('store_unavailable')
      return 1
    }),
  )
  const config = await directory.current('acme')
  isAway = true
  expect(directory.peek('acme')).toBeUndefined()
  expect(['acme', 'nobody'].map(directory.wasFound)).toEqual([true, false])
  await expect(directory.current('acme')).rejects.toThrow(Unavailable)
  isAway = false
  expect(directory.peek('acme')).toBe(config)
})

test('the same version is the same object, so that mint can tell that nothing changed', async () => {
  const { directory } = await directoryOf(whileUnmoved(() => ({})))
  expect(await directory.current('acme')).toBe(await directory.current('acme'))
})

test('while listed alike: from memory as long as no tenant of the list has another version, and at the next list it is asked for', async () => {
  const configs = createMemoryTenantConfigStore()
  await configs.put(sampleConfig())
  const listed = whileListedAlike(configs)
  const directory = createTenantDirectory({
    configs,
    validity: listed.validity,
    compile: ({ tenant, version, digest }) => ({ tenant, version, digest }) as TenantConfig,
    onUnusable: () => expect.fail('the sample compiles'),
  })
  await listed.configs.list()
  await directory.current('acme')
  await listed.configs.list()
  expect(directory.peek('acme')?.version).toBe(1)
  await configs.put(sampleConfig({ version: 2, digest: 'digest-2' }))
  expect(directory.peek('acme')?.version).toBe(1)
  expect(await listed.configs.list()).toEqual(await configs.list())
  expect(directory.peek('acme')).toBeUndefined()
  expect((await directory.current('acme'))?.version).toBe(2)
  await configs.tombstone('acme', NOW_SECONDS, 'uid:1000')
  await listed.configs.list()
  expect(directory.peek('acme')).toBeUndefined()
})
