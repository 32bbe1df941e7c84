// One run of rotate (design §2): the keys of every tenant are moved as far as they are due. A tenant whose keys cannot be
// moved is counted and holds up no other; the next run tries again.
import { LOG_SLOT, neededSlots, signalSlots } from '../../domain/key-rotation.ts'
import type { TenantConfigStore, TenantDirectory } from '../../ports/tenants.ts'
import { type RotatePorts, rotateKeys } from './rotate-keys.ts'

export type RotateTenantsPorts = {
  readonly configs: Pick<TenantConfigStore, 'list'>
  readonly tenants: Pick<TenantDirectory, 'current'>
  readonly rotation: RotatePorts
}

/** `failed`: names of tenants, for the operator's log. */
export type RotatedTenants = { readonly moves: number; readonly failed: readonly string[] }

/** Throws Unavailable when the tenants cannot be listed; nothing is moved then. */
export const rotateTenants = async ({ configs, tenants, rotation }: RotateTenantsPorts): Promise<RotatedTenants> => {
  const failed: string[] = []
  let moves = 0
  for (const { tenant } of await configs.list()) {
    try {
      const config = await tenants.current(tenant)
      const needed = config === null ? [] : [...neededSlots(config), ...signalSlots(config), LOG_SLOT]
      if (config !== null) moves += (await rotateKeys(rotation, { tenant, needed })).length
    } catch {
      failed.push(tenant)
    }
  }
  return { moves, failed }
}
