// trust on its schedule (design §2): the key sets of every tenant's issuers are refetched as they fall due, so that no exchange
// waits for an issuer. A tenant that cannot be read holds up no other.
import type { KeySource } from '../../domain/key-source.ts'
import { keyOwnersOf } from '../../domain/tenant-config.ts'
import type { TenantConfigStore, TenantDirectory } from '../../ports/tenants.ts'
import type { RefreshedIssuerKeys } from './issuer-keys.ts'

export type RefreshTenantsPorts = {
  readonly configs: Pick<TenantConfigStore, 'list'>
  readonly tenants: Pick<TenantDirectory, 'current'>
  readonly keys: Pick<RefreshedIssuerKeys, 'refreshDue'>
}

export type RefreshedTenants = { readonly fetched: number; readonly failed: readonly string[] }

/** Throws Unavailable when the tenants cannot be listed. */
export const refreshTenants = async ({ configs, tenants, keys }: RefreshTenantsPorts): Promise<RefreshedTenants> => {
  const sources: KeySource[] = []
  const failed: string[] = []
  for (const { tenant, tombstonedAtSeconds } of await configs.list()) {
    if (tombstonedAtSeconds !== null) continue
    try {
      const config = await tenants.current(tenant)
      for (const { keys: source } of config === null ? [] : keyOwnersOf(config))
        if (source.kind !== 'inline') sources.push(source)
    } catch {
      failed.push(tenant)
    }
  }
  return { fetched: await keys.refreshDue(sources), failed }
}
