import { expect, test } from 'vitest'
import { createMemoryTimeMark } from '../../../lib/adapters/memory/time-mark.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { createClockGuard } from '../../../lib/flows/guard-clock.ts'
import { eraseTenants } from '../../../lib/flows/tenants/erase-tenants.ts'
import type { TenantEraser } from '../../../lib/ports/tenants.ts'
import { handClock } from '../../support/own-keys.ts'

/** One tenant, removed at the start; what was erased is noted. */
const scene = (erases: boolean = true) => {
  const clock = handClock()
  const removedAt = clock.nowSeconds()
  const erased: string[] = []
  const eraser: TenantEraser = {
    due: async (before) => (removedAt < before && !erased.includes('acme') ? ['acme'] : []),
    async erase(tenant) {
      if (erases) erased.push(tenant)
      return erases
    },
  }
  return { clock, erased, ports: { eraser, clock, clockGuard: createClockGuard(clock, createMemoryTimeMark()) } }
}

test('a tenant is erased 7 days after its removal, not a second before, and once', async () => {
  const { clock, ports } = scene()
  clock.add(7 * 24 * 3600)
  expect(await eraseTenants(ports)).toEqual([])
  clock.add(1)
  expect(await eraseTenants(ports)).toEqual([{ tenant: 'acme', isComplete: true }])
  expect(await eraseTenants(ports)).toEqual([])
})

test('what could not be erased whole is said, and asked for again', async () => {
  const { clock, ports } = scene(false)
  clock.add(8 * 24 * 3600)
  for (let run = 0; run < 2; run += 1)
    expect(await eraseTenants(ports)).toEqual([{ tenant: 'acme', isComplete: false }])
})

test('a clock that jumped a month ahead erases nothing: it would cut the 7 days short for good', async () => {
  const { clock, erased, ports } = scene()
  clock.step(30 * 24 * 3600)
  expect(await eraseTenants(ports)).toEqual([])
  clock.add(LIMITS.clockRebaseSeconds - 1)
  expect(await eraseTenants(ports)).toEqual([])
  clock.step(-30 * 24 * 3600)
  clock.add(2 * LIMITS.clockRebaseSeconds)
  expect(await eraseTenants(ports)).toEqual([])
  expect(erased).toEqual([])
})
