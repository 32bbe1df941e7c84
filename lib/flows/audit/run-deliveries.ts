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

type Running = {
  readonly ports: DeliveriesPorts
  /** What is known of each sink, by its name; of one whose document names it no more, nothing. */
  readonly lanes: Map<string, Lane>
  readonly served: Map<string, Promise<void>>
  isStopping: boolean
  /** There was no place for some. */
  isCrowded: boolean
}

export const createDeliveries = (wired: Omit<DeliveriesPorts, 'isStopping'>): Deliveries => {
  const ports: DeliveriesPorts = { ...wired, isStopping: () => running.isStopping }
  const running: Running = { ports, lanes: new Map(), served: new Map(), isStopping: false, isCrowded: false }
  const { served } = running
  return {
    round: (tenants) => round(running, tenants),
    async oneDone() {
      if (served.size === 0) return false
      await Promise.race(served.values())
      return true
    },
    async stop() {
      running.isStopping = true
      await Promise.all(served.values())
      running.isStopping = false
    },
  }
}

const round = async (running: Running, tenants: readonly string[]): Promise<boolean> => {
  const { ports, served } = running
  const idle = (await targetsOf(running, tenants))
    .filter((target) => !served.has(nameOf(target)))
    .map((target) => ({ target, lane: laneOf(running, target) }))
    .sort((a, b) => a.lane.servedMs - b.lane.servedMs)
  running.isCrowded = false
  // Several at a time, since a store may be far away; not all, since those without a place are looked at in vain.
  for (let at = 0; at < idle.length && !running.isStopping; at += LIMITS.sinksAtOnceMax) {
    const some = idle.slice(at, at + LIMITS.sinksAtOnceMax)
    const wanted = await Promise.all(some.map(({ target, lane }) => isWanted(ports, target, lane)))
    for (const { target, lane } of some.filter((_, index) => wanted[index]))
      if (!running.isStopping) start(running, target, lane)
    if (running.isCrowded && served.size >= LIMITS.sinksAtOnceMax) break
  }
  return running.isCrowded
}

/** Of a tenant whose document cannot be read now, none; what is known of its sinks stays. */
const targetsOf = async ({ ports, lanes, served }: Running, tenants: readonly string[]): Promise<readonly Target[]> => {
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
    if (!named.has(name) && !served.has(name) && !unread.has(tenant)) lanes.delete(name)
  return targets
}

const laneOf = ({ ports, lanes }: Running, target: Target): Lane => {
  const name = nameOf(target)
  const lane = lanes.get(name) ?? { ...newSinkMemory(), tenant: target.tenant, rest: restOf(ports, 0), servedMs: 0 }
  lanes.set(name, lane)
  return lane
}

const start = (running: Running, target: Target, lane: Lane): void => {
  const { ports, served } = running
  const name = nameOf(target)
  if (served.has(name)) return
  if (served.size >= LIMITS.sinksAtOnceMax || hasItsPlaces(running, target)) {
    running.isCrowded = true
    return
  }
  const serving = serve(running, target, lane)
    .catch(() => ports.onFailure(target))
    .finally(() => served.delete(name))
  served.set(name, serving)
}

const hasItsPlaces = ({ served }: Running, { tenant }: Target): boolean =>
  [...served.keys()].filter((name) => name.startsWith(`${tenant}/`)).length >= LIMITS.sinksAtOncePerTenantMax

const serve = async (running: Running, target: Target, lane: Lane): Promise<void> => {
  const { ports } = running
  if (await runSinkErrands(ports, target)) lane.rest = restOf(ports, 0)
  for (const began = momentOf(ports.clock); ; ) {
    lane.servedMs = ports.clock.monotonicMs()
    if (!hasRested(ports, lane)) return
    const delivery = await deliverEvents(ports, target, lane)
    lane.rest = restOf(ports, waitOf(delivery, lane, ports.random()))
    if (delivery.kind !== 'more' || running.isStopping) return
    // Those who wait for a place get it; this one is due at once.
    if (running.isCrowded && ageMs(began, ports.clock) > LIMITS.logRoundMs) return
  }
}

/** A sink that waits is asked all the same where an operator wants to know. */
const isWanted = async (ports: DeliveriesPorts, target: Target, lane: Lane): Promise<boolean> => {
  try {
    return (
      (hasRested(ports, lane) && (await hasWork(ports, target, lane))) || (await openErrands(ports, target)).length > 0
    )
  } catch {
    ports.onFailure(target)
    return false
  }
}

const restOf = ({ clock }: DeliveriesPorts, ms: number): Lane['rest'] => ({ from: momentOf(clock), ms })

const hasRested = ({ clock }: DeliveriesPorts, { rest }: Lane): boolean => ageMs(rest.from, clock) >= rest.ms

const nameOf = ({ tenant, name }: Target): string => `${tenant}/${name}`

const waitOf = (delivery: Delivery, lane: Lane, random: number): number => {
  if (delivery.kind !== 'stopped') return 0
  if (delivery.retryAfterMs !== null) return Math.min(delivery.retryAfterMs, LIMITS.sinkRetryAfterMsMax)
  return backoffMs(lane.failures, { baseMs: LIMITS.sinkRetryMsBase, maxMs: LIMITS.sinkRetryMsMax }, random)
}
