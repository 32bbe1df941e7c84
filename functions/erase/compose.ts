// erase on AWS: documents, the clock's mark and the list of logs with its own rights; what goes, through the session of its tenant.
import { createLogList } from '../../lib/adapters/aws/dynamo-log-list.ts'
import { createLogRetention } from '../../lib/adapters/aws/dynamo-log-retention.ts'
import { tableOf, unhurried } from '../../lib/adapters/aws/dynamo-request.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantEraser } from '../../lib/adapters/aws/dynamo-tenant-eraser.ts'
import { startTimeMark } from '../../lib/adapters/aws/dynamo-time-mark.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { createMarkedClock } from '../../lib/flows/guard-clock.ts'
import { isOnAws } from '../../lib/wire/sinks-on-aws.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const ERASE_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_LOG_TABLE',
  'MINTMARK_DATA_ROLE',
] as const

export const createErase = (
  environment: Environment<(typeof ERASE_ENVIRONMENT)[number]>,
  clients: TenantTableClients,
) => {
  const logger = createLogger('erase')
  const own = unhurried(tableOf(environment.MINTMARK_CORE_TABLE, clients.dynamo))
  const log = unhurried(openTenantTable(environment.MINTMARK_LOG_TABLE, environment.MINTMARK_DATA_ROLE, clients).table)
  const core = { ...log, name: environment.MINTMARK_CORE_TABLE }
  const configs = createTenantConfigStore(own)
  const marked = createMarkedClock({ clock, start: () => startTimeMark({ table: own, clock }) })
  const directory = createTenants({ configs, baseUrl: environment.MINTMARK_BASE_URL, log: logger })
  const ports = {
    eraser: createTenantEraser({ core, log, list: createLogList(log), configs }),
    retention: createLogRetention(log),
    tenants: async () => (await configs.list()).map(({ tenant }) => tenant),
    directory: {
      async current(tenant: string) {
        const config = await directory.current(tenant)
        // Others are given nothing here, and nothing waits for them.
        return config === null ? null : { ...config, sinks: config.sinks.filter(isOnAws) }
      },
    },
    clock,
  }
  return createHandler(async () => ({ ...ports, clockGuard: await marked.guard() }), logger)
}
