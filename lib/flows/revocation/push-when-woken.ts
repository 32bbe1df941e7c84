// Pushes where nothing runs on by itself: a tenant is woken when it has a change, when a retry is due, and now and then in case a
// wake was lost. Promises: whatever was numbered before a wake is pushed by it, or by whoever holds the receiver then, or is owed
// a later wake; wakes do not multiply.
import { LIMITS } from '../../domain/limits.ts'
import type { ReceiverKey } from '../../ports/receivers.ts'
import type { Wakes } from '../../ports/wakes.ts'
import { alarmStuckReceivers, type StuckPorts } from './alarm-stuck-receivers.ts'
import { type PushPorts, pushTurn } from './push-revocations.ts'

export type WokenPorts = PushPorts & { readonly wakes: Wakes }

/**
 * For wakes that came together. Those of one tenant are worked on once: each stands for changes that were numbered before any of them
 * came, and one after the other they would outlast the function. Throws Unavailable, and then they are all worked on again.
 */
export const pushTogether = (ports: WokenPorts): ((tenant: string) => Promise<void>) => {
  const begun = new Map<string, Promise<void>>()
  return (tenant) => {
    const pushing = begun.get(tenant) ?? pushWhenWoken(ports, tenant)
    begun.set(tenant, pushing)
    return pushing
  }
}

/** Receivers that are due, side by side, so that none waits for another. Throws Unavailable, and then the wake is worked on again. */
export const pushWhenWoken = async (ports: WokenPorts, tenant: string): Promise<void> => {
  const { receivers, holder, clock } = ports
  const endMs = clock.monotonicMs() + LIMITS.receiverWakeMs
  const due = () => receivers.due(holder, clock.nowMs(), tenant)
  const pushed = await Promise.allSettled((await due()).map((key) => pushWhileDue(ports, key, { due, endMs })))
  // INVARIANT: not before each has left its receiver. A function that has answered is halted, with every lease it has.
  for (const one of pushed) if (one.status === 'rejected') throw one.reason
}

type While = { readonly due: () => Promise<readonly ReceiverKey[]>; readonly endMs: number }

/**
 * INVARIANT: looks again after each turn has left the receiver to others. A wake that met this turn went away with nothing done, and
 * its change was numbered by then. A turn that sent nothing knows no such receiver yet: by the next look it does.
 */
const pushWhileDue = async (ports: WokenPorts, key: ReceiverKey, { due, endMs }: While): Promise<void> => {
  const { wakes, clock } = ports
  for (;;) {
    const { sent, retryInMs } = await pushTurn(ports, key)
    // One for each turn that failed; whoever comes before its time finds nothing due. So there is one at a time.
    if (retryInMs !== null) await wakes.wake(key.tenant, retryInMs)
    if (sent === 0 || !(await due()).some(({ name }) => name === key.name)) return
    if (clock.monotonicMs() >= endMs) return wakes.wake(key.tenant, 0)
  }
}

type SweepPorts = StuckPorts & Pick<WokenPorts, 'receivers' | 'holder' | 'clock' | 'wakes'>

/** By the clock: wakes whoever is owed a push, and tells of receivers that take nothing. Throws Unavailable. */
export const sweepReceivers = async (ports: SweepPorts): Promise<{ readonly woken: number }> => {
  const due = await ports.receivers.due(ports.holder, ports.clock.nowMs(), null)
  const tenants = new Set(due.map(({ tenant }) => tenant))
  for (const tenant of tenants) await ports.wakes.wake(tenant, 0)
  await alarmStuckReceivers(ports)
  return { woken: tenants.size }
}
