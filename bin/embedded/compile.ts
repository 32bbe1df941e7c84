// Tenant documents -> configuration, for every command: from files with their places, and from what the store holds.
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import type { ConfigVersion } from '../../lib/ports/tenants.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { type CompileOptions, compileTenant } from '../../lib/wire/compile-tenant.ts'
import { loadTenant } from '../../lib/wire/load-tenant.ts'
import { BASE_URL_DEFAULT, baseUrlOf } from '../policy/tenant-directory.ts'

export type Place = { readonly baseUrl: string; readonly dev: boolean }

export const compileOptions = (place: Place, version = 0): CompileOptions => ({
  ...place,
  version,
  catalog: PROVIDER_CATALOG,
  sha256: (text) => nodeDigest.sha256(text),
})

/**
 * A stored version, compiled again; null when it no longer passes the checks. `place` null: for commands that only explain,
 * the broker the document's own audiences name.
 */
export const compileStored = (stored: ConfigVersion, place: Place | null): TenantConfig | null => {
  const source = { file: `${stored.tenant}@${stored.version}`, text: stored.document }
  const loaded = loadTenant(source)
  if (!loaded.ok) return null
  const compiled = compileTenant(
    loaded.loaded,
    compileOptions(place ?? { baseUrl: baseUrlOf([source]) ?? BASE_URL_DEFAULT, dev: true }, stored.version),
  )
  return compiled.ok ? { ...compiled.tenant.config, digest: stored.digest } : null
}
