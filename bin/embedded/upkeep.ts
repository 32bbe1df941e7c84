// What nobody asks for: rows that have had their time are swept, removed tenants and expired events erased.
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { withLogErased } from '../../lib/adapters/sqlite/log-eraser.ts'
import { createLogRetention } from '../../lib/adapters/sqlite/log-retention.ts'
import { startSweep } from '../../lib/adapters/sqlite/sweep.ts'
import { createTenantEraser } from '../../lib/adapters/sqlite/tenant-eraser.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import type { ClockGuard } from '../../lib/flows/guard-clock.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import type { TenantDirectory } from '../../lib/ports/tenants.ts'
import { startErasure } from './erasure.ts'

type UpkeepOptions = {
  readonly database: Database
  readonly audit: Database
  readonly tenants: TenantDirectory
  readonly clock: Clock
  readonly clockGuard: ClockGuard
  readonly log: ReturnType<typeof createLogger>
}

export const startUpkeep = ({ database, audit, tenants, clock, clockGuard, log }: UpkeepOptions) => {
  const sweep = startSweep(database, clock, clockGuard.isTrusted)
  const erasure = startErasure(
    {
      eraser: withLogErased(audit, createTenantEraser(database)),
      retention: createLogRetention(audit),
      tenants: createTenantLog(audit).tenants,
      directory: tenants,
      clock,
      clockGuard,
    },
    { log },
  )
  return {
    async close() {
      sweep.close()
      await erasure.close()
    },
  }
}
