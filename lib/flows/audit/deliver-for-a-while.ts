// Deliveries of a process that lives for a while only: everything that is due is begun, and what it has not ended in its time goes on
// from its cursor with the next run. How a sink fared is remembered for that run, where it is of the same process.
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { SinkCursors } from '../../ports/sinks.ts'
import type { Pause } from '../../ports/system.ts'
import type { TenantConfigStore } from '../../ports/tenants.ts'
import type { Deliveries } from './run-deliveries.ts'

export type DeliverForAWhilePorts = {
  readonly deliveries: Deliveries
  readonly configs: Pick<TenantConfigStore, 'list'>
  readonly cursors: Pick<SinkCursors, 'release'>
  readonly holder: string
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly pause: Pause
}

/** Throws Unavailable: tenants or cursors could not be read. Either way nothing runs on behind it. */
export const deliverForAWhile = async (ports: DeliverForAWhilePorts): Promise<void> => {
  const { deliveries, configs, cursors, holder, clock, pause } = ports
  const endMs = clock.monotonicMs() + LIMITS.deliverRunMs
  const listed = await configs.list()
  const tenants = listed.filter(({ tombstonedAtSeconds }) => tombstonedAtSeconds === null).map(({ tenant }) => tenant)
  const timeUp = pause(LIMITS.deliverRunMs).then(() => false)
  try {
    for (let isMore = true; clock.monotonicMs() < endMs; ) {
      if (isMore) isMore = await deliveries.round(tenants)
      if (!(await Promise.race([deliveries.oneDone(), timeUp]))) break
    }
  } finally {
    await deliveries.stop()
    // The next run may be of another process, and need not wait for the leases to end.
    await cursors.release(holder)
  }
}
