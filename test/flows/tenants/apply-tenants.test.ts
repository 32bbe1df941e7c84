// What apply orders of a document that takes much back at once.
import { expect, test } from 'vitest'
import { createMemoryTenantConfigStore } from '../../../lib/adapters/memory/tenant-config-store.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { applyTenants, type Cut } from '../../../lib/flows/tenants/apply-tenants.ts'
import { NOW_SECONDS } from '../../contract/sample-rows.ts'

const clock = { nowSeconds: () => NOW_SECONDS, nowMs: () => NOW_SECONDS * 1000, monotonicMs: () => 0 }
const BY = { author: 'ops', commit: '' }

test('grants that are gone together are cut together, each once, as many an order as it takes', async () => {
  const names = Array.from({ length: LIMITS.orderSelectorsMax + 2 }, (_, at) => `grant${at}`)
  const orders: Cut[] = []
  const cut = async (order: Cut) => void orders.push(order)
  const ports = { configs: createMemoryTenantConfigStore(), clock, cut }
  const documentOf = (grants: readonly string[]) => ({
    tenant: 'acme',
    document: JSON.stringify({ grants: Object.fromEntries(grants.map((name) => [name, { from: 'github' }])) }),
    digest: String(grants.length),
  })
  await applyTenants(ports, [documentOf(names)], BY)
  expect(orders).toEqual([])
  await applyTenants(ports, [documentOf([])], BY)
  expect(orders.map(({ selectors }) => selectors.length)).toEqual([LIMITS.orderSelectorsMax, 2])
  expect(orders.flatMap(({ selectors }) => selectors.map(({ value }) => value)).sort()).toEqual(names)
})
