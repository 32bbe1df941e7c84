// What /metrics shows of the stores: read at a scrape, and not again for some seconds, however many scrape. A store that does
// not answer is itself what is shown.
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { readLogState, readStoreState } from '../../lib/adapters/sqlite/operating-state.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { type Reading, reading } from '../../lib/domain/reading.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import type { ClockGuard } from '../../lib/flows/guard-clock.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import type { TenantDirectory } from '../../lib/ports/tenants.ts'

type Options = {
  readonly database: Database
  readonly audit: Database
  readonly tenants: Pick<TenantDirectory, 'peek'>
  readonly clock: Clock
  readonly clockGuard: ClockGuard
  /** How many places keep checkpoints out of reach of the broker. */
  readonly anchors: number
}

export const createOperatingState = ({ database, audit, tenants, clock, clockGuard, anchors }: Options) => {
  let readAtMs = Number.NEGATIVE_INFINITY
  let stored: readonly Reading[] = []
  // A document that is not at hand may name the sink: a series that comes and goes would hide its lag.
  const isSink = (tenant: string, sink: string): boolean => {
    const config = tenants.peek(tenant)
    return config === undefined || (config?.sinks.some(({ name }) => name === sink) ?? false)
  }
  const readStores = (): readonly Reading[] => {
    try {
      const nowSeconds = clock.nowSeconds()
      const readings = [...readStoreState(database, nowSeconds), ...readLogState(audit, nowSeconds, isSink)]
      return [reading('storeUp', 1), ...readings]
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      return [reading('storeUp', 0)]
    }
  }
  return (): readonly Reading[] => {
    const nowMs = clock.monotonicMs()
    if (nowMs - readAtMs >= LIMITS.metricStateSeconds * 1000) {
      stored = readStores()
      readAtMs = nowMs
    }
    return [...stored, reading('clockTrusted', clockGuard.isTrusted() ? 1 : 0), reading('anchors', anchors)]
  }
}
