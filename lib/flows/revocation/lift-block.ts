// Lifting a block (design §3): recorded and attributed, by an operator at the machine, over all tenants. A cut is over when
// what it hit has expired; lifting it would bring dead credentials back.

import type { Revocation } from '../../domain/revocation.ts'
import { isReason } from '../../domain/revocation-order.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RevocationStore } from '../../ports/revocations.ts'
import type { TenantConfigStore } from '../../ports/tenants.ts'

export type LiftPorts = {
  readonly configs: Pick<TenantConfigStore, 'list'>
  readonly revocations: Pick<RevocationStore, 'list' | 'lift'>
  readonly clock: Clock
}

export const LIFT_REFUSALS = {
  not_in_force: 'there is no revocation in force with this id',
  is_a_cut: 'a cut cannot be lifted',
  reason_invalid: 'a reason is needed: one line of at most 512 characters',
} as const

export type Lifted =
  | { readonly kind: 'lifted'; readonly revocation: Revocation }
  | { readonly kind: 'refused'; readonly refusal: keyof typeof LIFT_REFUSALS }

/** Throws Unavailable. */
export const liftBlock = async (
  { configs, revocations, clock }: LiftPorts,
  { id, reason, by }: { readonly id: string; readonly reason: string; readonly by: string },
): Promise<Lifted> => {
  if (!isReason(reason)) return { kind: 'refused', refusal: 'reason_invalid' }
  for (const { tenant } of await configs.list()) {
    const found = (await revocations.list(tenant)).find((revocation) => revocation.id === id)
    if (found === undefined) continue
    if (found.form === 'cut') return { kind: 'refused', refusal: 'is_a_cut' }
    const isLifted = await revocations.lift({ tenant, id, by, reason, atSeconds: clock.nowSeconds() })
    return isLifted ? { kind: 'lifted', revocation: found } : { kind: 'refused', refusal: 'not_in_force' }
  }
  return { kind: 'refused', refusal: 'not_in_force' }
}
