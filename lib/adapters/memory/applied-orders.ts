// Orders carried out, in this process.
import type { AppliedOrder } from '../../domain/revocation-order.ts'
import type { AppliedOrders } from '../../ports/revocation-orders.ts'

export const createMemoryAppliedOrders = (): AppliedOrders => {
  const applied = new Map<string, AppliedOrder>()
  const keyOf = (tenant: string, id: string): string => `${tenant}\0${id}`
  return {
    find: async (tenant, id) => applied.get(keyOf(tenant, id)) ?? null,
    async put(done) {
      const key = keyOf(done.order.tenant, done.order.id)
      if (!applied.has(key)) applied.set(key, done)
    },
  }
}
