// The laws of carried-out orders (lib/ports/revocation-orders.ts), for any adapter.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AppliedOrder } from '../../lib/domain/revocation-order.ts'
import type { AppliedOrders } from '../../lib/ports/revocation-orders.ts'
import { NOW_SECONDS, sampleOrder } from './sample-rows.ts'

export type OrdersHarness = { readonly orders: AppliedOrders; readonly close: () => Promise<void> }

const applied = (over: Partial<AppliedOrder> = {}): AppliedOrder => ({
  v: 1,
  order: sampleOrder(),
  by: 'uid:1000',
  revocations: ['r1'],
  atSeconds: NOW_SECONDS,
  ...over,
})

export const describeAppliedOrders = (name: string, open: () => Promise<OrdersHarness>): void => {
  describe(`applied orders: ${name}`, () => {
    let harness: OrdersHarness
    beforeEach(async () => {
      harness = await open()
    })
    afterEach(() => harness.close())

    test('an order is found as it was carried out, once it was, within its tenant only', async () => {
      const done = applied()
      expect(await harness.orders.find('acme', done.order.id)).toBeNull()
      await harness.orders.put(done)
      expect(await harness.orders.find('acme', done.order.id)).toEqual(done)
      expect(await harness.orders.find('globex', done.order.id)).toBeNull()
    })

    test('the first one stands: who carried the same order out again changes nothing of the record', async () => {
      const done = applied()
      await harness.orders.put(done)
      await harness.orders.put({ ...done, by: 'uid:0', revocations: ['r2'] })
      expect(await harness.orders.find('acme', done.order.id)).toEqual(done)
    })

    test('two tenants may have orders of one id', async () => {
      const ours = applied()
      const theirs = applied({ order: { ...ours.order, tenant: 'globex' } })
      await harness.orders.put(ours)
      await harness.orders.put(theirs)
      expect(await harness.orders.find('globex', ours.order.id)).toEqual(theirs)
    })
  })
}
