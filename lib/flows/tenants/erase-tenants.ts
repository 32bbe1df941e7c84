// Erases removed tenants when their time has come (design §9): 7 days after the tombstone, in which a removal by mistake can
// still be seen and what was issued has long run out.
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TenantEraser } from '../../ports/tenants.ts'
import type { ClockGuard } from '../guard-clock.ts'

export type ErasePorts = { readonly eraser: TenantEraser; readonly clock: Clock; readonly clockGuard: ClockGuard }

export type Erasure = { readonly tenant: string; readonly isComplete: boolean }

/** Throws Unavailable when the store fails: what is left is found by the next run. */
export const eraseTenants = async ({ eraser, clock, clockGuard }: ErasePorts): Promise<readonly Erasure[]> => {
  // A clock that jumped ahead would cut the 7 days short, and nothing brings back what is erased.
  if (!clockGuard.isTrusted()) return []
  const nowSeconds = clock.nowSeconds()
  const erasures: Erasure[] = []
  for (const tenant of await eraser.due(nowSeconds - LIMITS.removedTenantKeepSeconds))
    erasures.push({ tenant, isComplete: await eraser.erase(tenant, nowSeconds) })
  return erasures
}
