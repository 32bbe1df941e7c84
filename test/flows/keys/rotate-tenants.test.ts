import { expect, test } from 'vitest'
import type { TenantConfig } from '../../../lib/domain/tenant-config.ts'
import { Unavailable } from '../../../lib/domain/unavailable.ts'
import { rotateTenants } from '../../../lib/flows/keys/rotate-tenants.ts'
import { ownKeys } from '../../support/own-keys.ts'

const row = (tenant: string) => ({ tenant, version: 1, digest: 'd', tombstonedAtSeconds: null })
const config = (tenant: string) => ({ tenant, grants: [], receivers: [] }) as unknown as TenantConfig

test('every tenant gets its first keys, of tokens, of the feed and of the log, and a removed one gets none and is forgotten', async () => {
  const keys = ownKeys()
  const forgotten = new Set<string>()
  const ring = { invalidate: (tenant: string) => void forgotten.add(tenant) }
  const run = await rotateTenants({
    configs: { list: async () => ['acme', 'gone', 'globex'].map(row) },
    tenants: { current: async (tenant) => (tenant === 'gone' ? null : config(tenant)) },
    rotation: { ...keys, ring },
    atOnce: 1,
  })
  expect([run.moves.length, run.failed]).toEqual([18, []])
  expect(forgotten).toContain('gone')
  expect(await keys.store.list('gone')).toEqual([])
})

test.each([1, 2])('no more than %i tenants are at work at a time, where no more are asked for', async (atOnce) => {
  let now = 0
  let most = 0
  const current = async () => {
    most = Math.max(most, ++now)
    await new Promise((resolve) => setImmediate(resolve))
    now -= 1
    return null
  }
  const configs = { list: async () => ['a', 'b', 'c', 'd', 'e'].map(row) }
  await rotateTenants({ configs, tenants: { current }, rotation: ownKeys(), atOnce })
  expect(most).toBe(atOnce)
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
    atOnce: 1,
  })
  expect([run.moves.length, run.failed]).toEqual([9, ['acme']])
})

test('no list of tenants is an outage, not a run without tenants', async () => {
  const list = async () => {
    throw new Unavailable('store_unavailable')
  }
  await expect(
    rotateTenants({ configs: { list }, tenants: { current: async () => null }, rotation: ownKeys(), atOnce: 1 }),
  ).rejects.toThrow(Unavailable)
})
