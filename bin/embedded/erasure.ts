// Removed tenants, and events that have expired, are erased on a schedule. The first look is a period after the start: by then a clock that was wrong at boot
// has been set right, and the clock guard has seen it.

import { type ExpirePorts, expireEvents } from '../../lib/flows/audit/expire-events.ts'
import { type ErasePorts, eraseTenants } from '../../lib/flows/tenants/erase-tenants.ts'

type Log = {
  info(message: string, fields: Record<string, unknown>): void
  error(message: string, fields: Record<string, unknown>): void
}

const PERIOD_MS = 10 * 60_000

export const startErasure = (
  ports: ErasePorts & ExpirePorts,
  { log, periodMs = PERIOD_MS }: { readonly log: Log; readonly periodMs?: number },
): { readonly close: () => void } => {
  let isRunning = false
  const run = async () => {
    if (isRunning) return
    isRunning = true
    try {
      for (const { tenant, isComplete } of await eraseTenants(ports))
        if (isComplete) log.info('a removed tenant was erased', { tenant })
      for (const expired of await expireEvents(ports)) log.info('events of a log have expired', expired)
    } catch {
      log.error('removed tenants or expired events could not be erased', {})
    } finally {
      isRunning = false
    }
  }
  const timer = setInterval(() => void run(), periodMs)
  timer.unref()
  return { close: () => clearInterval(timer) }
}
