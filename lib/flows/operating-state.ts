// What /metrics shows of the stores: read at a scrape, and not again for some seconds, however many scrape. A store that does
// not answer is itself what is shown.
import { LIMITS } from '../domain/limits.ts'
import { type Reading, reading } from '../domain/reading.ts'
import { Unavailable } from '../domain/unavailable.ts'
import type { Clock } from '../ports/clock.ts'
import type { TenantDirectory } from '../ports/tenants.ts'
import type { ClockGuard } from './guard-clock.ts'

/** Whether a document names the sink. */
type IsSink = (tenant: string, sink: string) => boolean

export type OperatingStatePorts = {
  /** Throws Unavailable. */
  readonly readStores: (nowSeconds: number, isSink: IsSink) => readonly Reading[]
  readonly tenants: Pick<TenantDirectory, 'peek'>
  readonly clock: Pick<Clock, 'nowSeconds' | 'monotonicMs'>
  readonly clockGuard: Pick<ClockGuard, 'isTrusted'>
  /** How many places keep checkpoints out of reach of the broker. */
  readonly anchors: number
}

export const createOperatingState = (ports: OperatingStatePorts): (() => readonly Reading[]) => {
  const { tenants, clock, clockGuard, anchors } = ports
  let readAtMs = Number.NEGATIVE_INFINITY
  let stored: readonly Reading[] = []
  // A document that is not at hand may name the sink: a series that comes and goes would hide its lag.
  const isSink: IsSink = (tenant, sink) => {
    const config = tenants.peek(tenant)
    return config === undefined || (config?.sinks.some(({ name }) => name === sink) ?? false)
  }
  const readStores = (): readonly Reading[] => {
    try {
      return [reading('storeUp', 1), ...ports.readStores(clock.nowSeconds(), isSink)]
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      return [reading('storeUp', 0)]
    }
  }
  return () => {
    const nowMs = clock.monotonicMs()
    if (nowMs - readAtMs >= LIMITS.metricStateSeconds * 1000) {
      stored = readStores()
      readAtMs = nowMs
    }
    return [...stored, reading('clockTrusted', clockGuard.isTrusted() ? 1 : 0), reading('anchors', anchors)]
  }
}
