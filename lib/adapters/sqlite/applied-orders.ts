// Revocation orders that were carried out, append only: what was asked, by whom, and what came of it.
import { LIMITS } from '../../domain/limits.ts'
import type { AppliedOrder } from '../../domain/revocation-order.ts'
import type { AppliedOrders } from '../../ports/revocation-orders.ts'
import type { Database } from './database.ts'
import { createGroupCommit } from './group-commit.ts'

const FIND = 'SELECT body FROM revocation_order WHERE tenant = ? AND id = ?'
const PUT =
  'INSERT INTO revocation_order (tenant, id, at, body) VALUES (?, ?, ?, ?) ON CONFLICT (tenant, id) DO NOTHING'

export const createAppliedOrders = (database: Database): AppliedOrders => {
  const commits = createGroupCommit(database, { max: LIMITS.orderCommitMax })
  return {
    async find(tenant, orderId) {
      const row = database.read((sql) => sql(FIND).get(tenant, orderId)) as { readonly body: string } | undefined
      return row === undefined ? null : (JSON.parse(row.body) as AppliedOrder)
    },
    async put(applied) {
      const { order, atSeconds } = applied
      const body = JSON.stringify(applied)
      await commits.submit({
        run: (sql) => void sql(PUT).run(order.tenant, order.id, atSeconds, body),
        readBack: (sql) => (sql(FIND).get(order.tenant, order.id) === undefined ? null : { value: undefined }),
      })
    },
  }
}
