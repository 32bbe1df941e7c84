// Erasure of a removed tenant's events: what they say and the salts go, overwritten; tiles and checkpoints stay. Without a salt
// nobody can show what a commitment was of, and the log still verifies (design §4).
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../domain/limits.ts'
import type { TenantEraser } from '../../ports/tenants.ts'
import type { Database } from './database.ts'

const SOME = 'DELETE FROM log_leaf WHERE seq IN (SELECT seq FROM log_leaf WHERE tenant = ?1 LIMIT ?2)'
const LETTERS =
  'DELETE FROM sink_dead_letter WHERE seq IN (SELECT seq FROM sink_dead_letter WHERE tenant = ?1 LIMIT ?2)'
const TRIES = 20
const WAIT_MS = 50

/** `rest` erases everything else, and marks the tenant as erased: it comes last. */
export const withLogErased = (audit: Database, rest: TenantEraser): TenantEraser => ({
  due: rest.due,
  async erase(tenant, nowSeconds) {
    for (const some of [SOME, LETTERS]) {
      let deleted: number | bigint
      do {
        deleted = await audit.writeOver((sql) => sql(some).run(tenant, LIMITS.sweepRowsMax).changes)
      } while (deleted > 0)
    }
    return (await emptyWal(audit)) && rest.erase(tenant, nowSeconds)
  },
})

export const emptyWal = async (audit: Database): Promise<boolean> => {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (audit.emptyWal()) return true
    await sleep(WAIT_MS)
  }
  return false
}
