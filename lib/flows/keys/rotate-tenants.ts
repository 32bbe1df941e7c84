// One run of rotate (design §2): the keys of every tenant are moved as far as they are due. A tenant whose keys cannot be
// moved is counted and holds up no other; the next run tries again.
import { LOG_SLOT, neededSlots, signalSlots } from '../../domain/key-rotation.ts'
import type { TenantDirectory } from '../../ports/tenants.ts'
import { type AppliedMove, type RotatePorts, rotateKeys } from './rotate-keys.ts'

export type RotateTenantsPorts = {
  /** Whose keys: of all tenants, or of those that changed. */
  readonly configs: { list(): Promise<readonly { readonly tenant: string }[]> }
  readonly tenants: Pick<TenantDirectory, 'current'>
  readonly rotation: RotatePorts
  /** How many tenants at a time. */
  readonly atOnce: number
}

/** `failed`: names of tenants, for the operator's log. */
export type RotatedTenants = { readonly moves: readonly AppliedMove[]; readonly failed: readonly string[] }

/** Throws Unavailable when the tenants cannot be listed; nothing is moved then. */
export const rotateTenants = async (ports: RotateTenantsPorts): Promise<RotatedTenants> => {
  const { configs, tenants, rotation, atOnce } = ports
  const failed: string[] = []
  const moves: AppliedMove[] = []
  const rotateOne = async (tenant: string): Promise<void> => {
    try {
      const config = await tenants.current(tenant)
      const needed = config === null ? [] : [...neededSlots(config), ...signalSlots(config), LOG_SLOT]
      // Of a removed tenant nothing is kept in memory.
      if (config === null) rotation.ring?.invalidate(tenant)
      else moves.push(...(await rotateKeys(rotation, { tenant, needed })))
    } catch {
      failed.push(tenant)
    }
  }
  const listed = await configs.list()
  for (let at = 0; at < listed.length; at += atOnce)
    await Promise.all(listed.slice(at, at + atOnce).map(({ tenant }) => rotateOne(tenant)))
  return { moves, failed }
}
