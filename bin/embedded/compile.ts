// Tenant documents -> configuration, for every command: from files with their places, and from what the store holds.
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import type { ConfigVersion } from '../../lib/ports/tenants.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { type CompileOptions, compileTenant } from '../../lib/wire/compile-tenant.ts'
import { loadTenant } from '../../lib/wire/load-tenant.ts'

export const compileOptions = (place: { readonly baseUrl: string; readonly dev: boolean }, version = 0): CompileOptions => ({
  ...place,
  version,
  catalog: PROVIDER_CATALOG,
  sha256: (text) => nodeDigest.sha256(text),
})

/** A stored version, compiled again; null when it no longer passes the checks. */
export const compileStored = (stored: ConfigVersion, place: { readonly baseUrl: string; readonly dev: boolean }): TenantConfig | null => {
  const loaded = loadTenant({ file: `${stored.tenant}@${stored.version}`, text: stored.document })
  if (!loaded.ok) return null
  const compiled = compileTenant(loaded.loaded, compileOptions(place, stored.version))
  return compiled.ok ? { ...compiled.tenant.config, digest: stored.digest } : null
}
