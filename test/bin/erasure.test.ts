import { expect, onTestFinished, test } from 'vitest'
import { startErasure } from '../../bin/embedded/erasure.ts'
import { createMemoryTimeMark } from '../../lib/adapters/memory/time-mark.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { createTenantEraser } from '../../lib/adapters/sqlite/tenant-eraser.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { open, temporaryDirectory } from '../adapters/sqlite/temporary-database.ts'
import { sampleConfig, sampleKey } from '../contract/sample-rows.ts'
import { until } from '../support/until.ts'

test('brokers erase by themselves what was removed long enough ago, together, and say so once it is done', async () => {
  const dataDir = temporaryDirectory()
  const database = open(dataDir)
  const configs = createTenantConfigStore(database)
  const keys = createSigningKeyStore(database)
  const eraser = createTenantEraser(database)
  const longAgo = systemClock.nowSeconds() - LIMITS.removedTenantKeepSeconds
  for (const tenant of ['gone', 'removed', 'served']) {
    await configs.put(sampleConfig({ tenant }))
    await keys.insert(sampleKey({ tenant }))
  }
  await configs.tombstone('gone', longAgo - 10, 'uid:1000')
  await configs.tombstone('removed', longAgo + 3600, 'uid:1000')

  const lines: unknown[] = []
  const note = (message: string, fields: Record<string, unknown>) => lines.push([message, fields])
  for (const process of [database, open(dataDir)]) {
    const ports = {
      eraser: createTenantEraser(process),
      retention: { expire: async () => 0 },
      tenants: async () => [],
      directory: { current: async () => null },
      clock: systemClock,
      clockGuard: createClockGuard(systemClock, createMemoryTimeMark()),
    }
    onTestFinished(startErasure(ports, { log: { info: note, error: note }, periodMs: 20 }).close)
  }
  const seen = async () => ({ due: await eraser.due(longAgo), lines })
  await until('a tenant that is erased, and said to be', seen, ({ due }) => due.length === 0 && lines.length > 0)

  expect(lines[0]).toEqual(['a removed tenant was erased', { tenant: 'gone' }])
  expect(await Promise.all(['gone', 'removed', 'served'].map((tenant) => keys.list(tenant)))).toMatchObject([
    [],
    [{ tenant: 'removed' }],
    [{ tenant: 'served' }],
  ])
})
