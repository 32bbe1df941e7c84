// All sinks of all tenants, each for itself: one that hangs, or is far behind, takes a place of a few and nothing else. A sink
// that failed is asked again after a time that grows and is never the same for two.
import { backoffMs } from '../../domain/backoff.ts'
import { LIMITS } from '../../domain/limits.ts'
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
    /** A delivery that failed for a reason of ours: the next one may go well. */
    readonly onFailure: (target: Target) => void
  }

export type Deliveries = {
  /** Starts what is due, as far as there are places. */
  readonly round: (tenants: readonly string[]) => Promise<void>
  /** Resolves when nothing runs any more. Nothing is begun while it waits. */
  readonly stop: () => Promise<void>
}

type Lane = SinkMemory & { dueMs: number; servedMs: number }

export const createDeliveries = (wired: Omit<DeliveriesPorts, 'isStopping'>): Deliveries => {
  const ports: DeliveriesPorts = { ...wired, isStopping: () => isStopping }
  const lanes = new Map<string, Lane>()
  const running = new Map<string, Promise<void>>()
  let isStopping = false
  let isCrowded = false

  const laneOf = (target: Target): Lane => {
    const name = nameOf(target)
    const lane = lanes.get(name) ?? { ...newSinkMemory(), dueMs: 0, servedMs: 0 }
    lanes.set(name, lane)
    return lane
  }

  const serve = async (target: Target, lane: Lane): Promise<void> => {
    if (await runSinkErrands(ports, target)) lane.dueMs = 0
    for (const startMs = ports.clock.nowMs(); ; ) {
      lane.servedMs = ports.clock.nowMs()
      if (lane.dueMs > lane.servedMs) return
      const delivery = await deliverEvents(ports, target, lane)
      lane.dueMs = ports.clock.nowMs() + waitOf(delivery, lane, ports.random())
      if (delivery.kind !== 'more' || isStopping) return
      // Those who wait for a place get it; this one is due at once.
      if (isCrowded && ports.clock.nowMs() - startMs > LIMITS.logRoundMs) return
    }
  }

  /** A sink that waits is asked all the same where an operator wants to know. */
  const isWanted = async (target: Target, lane: Lane): Promise<boolean> =>
    (lane.dueMs <= ports.clock.nowMs() && (await hasWork(ports, target, lane))) ||
    (await openErrands(ports, target)).length > 0

  const hasItsPlaces = ({ tenant }: Target): boolean =>
    [...running.keys()].filter((name) => name.startsWith(`${tenant}/`)).length >= LIMITS.sinksAtOncePerTenantMax

  /** Of sinks that no document names any more. */
  const forgetOthers = (targets: readonly Target[]): void => {
    const named = new Set(targets.map(nameOf))
    for (const name of lanes.keys()) if (!named.has(name) && !running.has(name)) lanes.delete(name)
  }

  const round: Deliveries['round'] = async (tenants) => {
    const targets = (await Promise.all(tenants.map(ports.targetsOf))).flat()
    forgetOthers(targets)
    const idle = targets
      .filter((target) => !running.has(nameOf(target)))
      .map((target) => ({ target, lane: laneOf(target) }))
      .sort((a, b) => a.lane.servedMs - b.lane.servedMs)
    isCrowded = false
    for (const { target, lane } of idle) {
      if (isStopping || !(await isWanted(target, lane))) continue
      if (running.has(nameOf(target))) continue
      isCrowded ||= running.size >= LIMITS.sinksAtOnceMax || hasItsPlaces(target)
      if (running.size >= LIMITS.sinksAtOnceMax) return
      if (hasItsPlaces(target)) continue
      const served = serve(target, lane)
        .catch(() => ports.onFailure(target))
        .finally(() => running.delete(nameOf(target)))
      running.set(nameOf(target), served)
    }
  }

  return {
    round,
    async stop() {
      isStopping = true
      await Promise.all(running.values())
    },
  }
}

const nameOf = ({ tenant, name }: Target): string => `${tenant}/${name}`

const waitOf = (delivery: Delivery, lane: Lane, random: number): number => {
  if (delivery.kind !== 'stopped') return 0
  if (delivery.retryAfterMs !== null) return Math.min(delivery.retryAfterMs, LIMITS.sinkRetryAfterMsMax)
  return backoffMs(lane.failures, { baseMs: LIMITS.sinkRetryMsBase, maxMs: LIMITS.sinkRetryMsMax }, random)
}
