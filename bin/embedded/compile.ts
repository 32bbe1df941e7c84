// Stored tenant documents -> configuration, for every command.
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import type { ConfigVersion } from '../../lib/ports/tenants.ts'
import { compileStored as compileDocument } from '../../lib/wire/compile-stored.ts'
import { compileOptions, type Place } from '../policy/compile-options.ts'
import { BASE_URL_DEFAULT, baseUrlOf } from '../policy/tenant-directory.ts'

/**
 * A stored version, compiled again; null when it no longer passes the checks. `place` null: for commands that only explain,
 * the broker the document's own audiences name.
 */
export const compileStored = (stored: ConfigVersion, place: Place | null): TenantConfig | null => {
  const file = `${stored.tenant}@${stored.version}`
  const where = place ?? { baseUrl: baseUrlOf([{ file, text: stored.document }]) ?? BASE_URL_DEFAULT, dev: true }
  return compileDocument(stored, compileOptions(where))
}
