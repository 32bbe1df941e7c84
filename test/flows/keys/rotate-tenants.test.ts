import { expect, test } from 'vitest'
import type { TenantConfig } from '../../../lib/domain/tenant-config.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { rotateTenants } from '../../../lib/flows/keys/rotate-tenants.ts'
import { ownKeys } from '../../support/own-keys.ts'

const row = (tenant: string) => ({ tenant, version: 1, digest: 'd', tombstonedAtSeconds: null })
const config = (tenant: string) => ({ tenant, grants: [], receivers: [] }) as unknown as TenantConfig

test('every tenant gets its first keys, of tokens, of the feed and of the log, and a removed one gets none', async () => {
  const keys = ownKeys()
  const run = await rotateTenants({
    configs: { list: async () => ['acme', 'gone', 'globex'].map(row) },
    tenants: { current: async (tenant) => (tenant === 'gone' ? null : config(tenant)) },
    rotation: keys,
  })
  expect(run).toEqual({ moves: 18, failed: [] })
  expect(await keys.store.list('gone')).toEqual([])
})

test('a tenant whose keys cannot be moved is named, and holds up no other', async () => {
  const keys = ownKeys()
  const run = await rotateTenants({
    configs: { list: async () => ['acme', 'globex'].map(row) },
    tenants: {
      current: async (tenant) => {
        if (tenant === 'acme') throw new Unavailable('store_unavailable')
        return config(tenant)
      },
    },
    rotation: keys,
  })
  expect(run).toEqual({ moves: 9, failed: ['acme'] })
})

test('no list of tenants is an outage, not a run without tenants', async () => {
  const list = async () => {
    throw new Unavailable('store_unavailable')
  }
  await expect(
    rotateTenants({ configs: { list }, tenants: { current: async () => null }, rotation: ownKeys() }),
  ).rejects.toThrow(Unavailable)
})
