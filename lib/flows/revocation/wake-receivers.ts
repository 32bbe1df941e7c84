// After a change: wakes whoever pushes it to the tenant's webhooks. Of a storm there is one wake at once and then one a second, each
// behind the changes it stands for. A wake that cannot be sent is lost, as any may be: the change is durable, and swept for.
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import type { Wakes } from '../../ports/wakes.ts'

export type WakePorts = {
  readonly tenants: Pick<TenantDirectory, 'current'>
  readonly wakes: Wakes
  readonly clock: Pick<Clock, 'nowMs'>
}

export const createWakeReceivers = ({ tenants, wakes, clock }: WakePorts): ((tenant: string) => Promise<void>) => {
  /** When the last wake of a tenant is received, at the earliest. */
  const comes = new Map<string, number>()
  const wake = async (tenant: string): Promise<void> => {
    const nowMs = clock.nowMs()
    const last = comes.get(tenant) ?? Number.NEGATIVE_INFINITY
    // On its way, and behind this change. One further away than any is of a clock that went back.
    if (last > nowMs && last <= nowMs + LIMITS.receiverWakeGatherMs) return
    const delayMs = Math.abs(nowMs - last) < LIMITS.receiverWakeGatherMs ? LIMITS.receiverWakeGatherMs : 0
    await wakes.wake(tenant, delayMs)
    if (comes.size >= LIMITS.tenantSessionsMax) comes.clear()
    comes.set(tenant, nowMs + delayMs)
  }
  return async (tenant) => {
    try {
      const receivers = (await tenants.current(tenant))?.receivers ?? []
      if (receivers.some(({ type }) => type === 'webhook')) await wake(tenant)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
    }
  }
}
