// All sinks of all tenants, each for itself: one that hangs, or is far behind, takes a place of a few and nothing else. A sink
// that failed is asked again after a time that grows and is never the same for two.
import { backoffMs } from '../../domain/backoff.ts'
import { LIMITS } from '../../domain/limits.ts'
import { ageMs, type Moment, momentOf } from '../moment.ts'
import {
  type DeliverPorts,
  type Delivery,
  deliverEvents,
  hasWork,
  newSinkMemory,
  type SinkMemory,
  type Target,
} from './deliver-events.ts'
import { type ErrandPorts, openErrands, runSinkErrands } from './run-sink-errands.ts'

export type DeliveriesPorts = DeliverPorts &
  ErrandPorts & {
    readonly targetsOf: (tenant: string) => Promise<readonly Target[]>
    /** In [0, 1). */
    readonly random: () => number
    /** A delivery that failed for a reason of ours: the next one may go well. `name` null: of all sinks of the tenant. */
    readonly onFailure: (of: { readonly tenant: string; readonly name: string | null }) => void
  }

export type Deliveries = {
  /** Starts what is due, as far as there are places. True: there was none for some. */
  readonly round: (tenants: readonly string[]) => Promise<boolean>
  /** Resolves when one of those that run is done; false at once: none runs. */
  readonly oneDone: () => Promise<boolean>
  /** Resolves when nothing runs any more. Nothing is begun while it waits; a round after it goes on. */
  readonly stop: () => Promise<void>
}

/** `rest`: how long it is left alone, from when on. */
type Lane = SinkMemory & {
  readonly tenant: string
  rest: { readonly from: Moment; readonly ms: number }
  servedMs: number
}

export const createDeliveries = (wired: Omit<DeliveriesPorts, 'isStopping'>): Deliveries => {
  const ports: DeliveriesPorts = { ...wired, isStopping: () => isStopping }
  const lanes = new Map<string, Lane>()
  const running = new Map<string, Promise<void>>()
  let isStopping = false
  let isCrowded = false

  const restOf = (ms: number): Lane['rest'] => ({ from: momentOf(ports.clock), ms })

  const laneOf = (target: Target): Lane => {
    const name = nameOf(target)
    const lane = lanes.get(name) ?? { ...newSinkMemory(), tenant: target.tenant, rest: restOf(0), servedMs: 0 }
    lanes.set(name, lane)
    return lane
  }

  const serve = async (target: Target, lane: Lane): Promise<void> => {
    if (await runSinkErrands(ports, target)) lane.rest = restOf(0)
    for (const began = momentOf(ports.clock); ; ) {
      lane.servedMs = ports.clock.monotonicMs()
      if (!hasRested(lane, ports.clock)) return
      const delivery = await deliverEvents(ports, target, lane)
      lane.rest = restOf(waitOf(delivery, lane, ports.random()))
      if (delivery.kind !== 'more' || isStopping) return
      // Those who wait for a place get it; this one is due at once.
      if (isCrowded && ageMs(began, ports.clock) > LIMITS.logRoundMs) return
    }
  }

  const hasItsPlaces = ({ tenant }: Target): boolean =>
    [...running.keys()].filter((name) => name.startsWith(`${tenant}/`)).length >= LIMITS.sinksAtOncePerTenantMax

  /** Of a tenant whose document cannot be read now, none; what is known of its sinks stays. */
  const targetsOf = async (tenants: readonly string[]): Promise<readonly Target[]> => {
    const unread = new Set<string>()
    const ofTenant = (tenant: string): Promise<readonly Target[]> =>
      ports.targetsOf(tenant).catch(() => {
        unread.add(tenant)
        ports.onFailure({ tenant, name: null })
        return []
      })
    const targets = (await Promise.all(tenants.map(ofTenant))).flat()
    const named = new Set(targets.map(nameOf))
    for (const [name, { tenant }] of lanes)
      if (!named.has(name) && !running.has(name) && !unread.has(tenant)) lanes.delete(name)
    return targets
  }

  const start = (target: Target, lane: Lane): void => {
    const name = nameOf(target)
    if (running.has(name)) return
    isCrowded ||= running.size >= LIMITS.sinksAtOnceMax || hasItsPlaces(target)
    if (running.size >= LIMITS.sinksAtOnceMax || hasItsPlaces(target)) return
    const served = serve(target, lane)
      .catch(() => ports.onFailure(target))
      .finally(() => running.delete(name))
    running.set(name, served)
  }

  const round: Deliveries['round'] = async (tenants) => {
    const idle = (await targetsOf(tenants))
      .filter((target) => !running.has(nameOf(target)))
      .map((target) => ({ target, lane: laneOf(target) }))
      .sort((a, b) => a.lane.servedMs - b.lane.servedMs)
    isCrowded = false
    // Several at a time, since a store may be far away; not all, since those without a place are looked at in vain.
    for (let at = 0; at < idle.length && !isStopping; at += LIMITS.sinksAtOnceMax) {
      const some = idle.slice(at, at + LIMITS.sinksAtOnceMax)
      const wanted = await Promise.all(some.map(({ target, lane }) => isWanted(ports, target, lane)))
      for (const { target, lane } of some.filter((_, index) => wanted[index])) if (!isStopping) start(target, lane)
      if (isCrowded && running.size >= LIMITS.sinksAtOnceMax) break
    }
    return isCrowded
  }

  return {
    round,
    async oneDone() {
      if (running.size === 0) return false
      await Promise.race(running.values())
      return true
    },
    async stop() {
      isStopping = true
      await Promise.all(running.values())
      isStopping = false
    },
  }
}

/** A sink that waits is asked all the same where an operator wants to know. */
const isWanted = async (ports: DeliveriesPorts, target: Target, lane: Lane): Promise<boolean> => {
  try {
    return (
      (hasRested(lane, ports.clock) && (await hasWork(ports, target, lane))) ||
      (await openErrands(ports, target)).length > 0
    )
  } catch {
    ports.onFailure(target)
    return false
  }
}

const hasRested = ({ rest }: Lane, clock: DeliveriesPorts['clock']): boolean => ageMs(rest.from, clock) >= rest.ms

const nameOf = ({ tenant, name }: Target): string => `${tenant}/${name}`

const waitOf = (delivery: Delivery, lane: Lane, random: number): number => {
  if (delivery.kind !== 'stopped') return 0
  if (delivery.retryAfterMs !== null) return Math.min(delivery.retryAfterMs, LIMITS.sinkRetryAfterMsMax)
  return backoffMs(lane.failures, { baseMs: LIMITS.sinkRetryMsBase, maxMs: LIMITS.sinkRetryMsMax }, random)
}
