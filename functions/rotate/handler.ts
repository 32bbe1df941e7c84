// rotate: on a schedule. Moves the keys of all tenants on; mint activates the new ones.
import { createAlarm } from '../../lib/edge/alarm.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import { type RotateTenantsPorts, rotateTenants } from '../../lib/flows/keys/rotate-tenants.ts'

type Log = Pick<ReturnType<typeof createLogger>, 'error'>
/** How many keys were moved, and whose could not be. */
type Rotated = { readonly moves: number; readonly failed: readonly string[] }

/** `open` is asked with each run: what must be read before the first may not be had at once. */
export const createHandler = (open: () => Promise<RotateTenantsPorts>, log: Log) => {
  const alarm = createAlarm('rotate', log)
  return async (): Promise<Rotated> => {
    const { moves, failed } = await rotateTenants(await open())
    if (failed.length > 0) alarm('keys_not_rotated', { tenants: failed.join(' ').slice(0, 1_000) })
    return { moves: moves.length, failed }
  }
}
