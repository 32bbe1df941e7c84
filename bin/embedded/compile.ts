// Tenant documents -> configuration, for every command: from files with their places, and from what the store holds.
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import type { ConfigVersion } from '../../lib/ports/tenants.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { compileStored as compileDocument } from '../../lib/wire/compile-stored.ts'
import type { CompileOptions } from '../../lib/wire/compile-tenant.ts'
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
  const file = `${stored.tenant}@${stored.version}`
  const where = place ?? { baseUrl: baseUrlOf([{ file, text: stored.document }]) ?? BASE_URL_DEFAULT, dev: true }
  return compileDocument(stored, compileOptions(where))
}
