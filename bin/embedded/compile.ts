// Stored tenant documents -> configuration, for every command.
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import type { ConfigVersion } from '../../lib/ports/tenants.ts'
import { compileTenant } from '../../lib/wire/compile-tenant.ts'
import { tenantDocumentSchema } from '../../lib/wire/tenant-document.ts'
import { compileOptions, type Place } from '../policy/compile-options.ts'
import { BASE_URL_DEFAULT, baseUrlOf } from '../policy/tenant-directory.ts'

/**
 * A stored version, compiled again; null when it no longer passes the checks. `place` null: for commands that only explain,
 * the broker the document's own audiences name.
 */
export const compileStored = (stored: ConfigVersion, place: Place | null): TenantConfig | null => {
  const file = `${stored.tenant}@${stored.version}`
  // It was written as JSON by apply: no need for the YAML reader, which would cost a cold tenant's first request milliseconds.
  const document = tenantDocumentSchema.safeParse(JSON.parse(stored.document))
  if (!document.success) return null
  const loaded = {
    file,
    document: document.data,
    problemAt: (path: readonly (string | number)[], message: string) => ({
      file,
      line: 1,
      column: 1,
      path: path.join(' › '),
      message,
    }),
  }
  const where = place ?? { baseUrl: baseUrlOf([{ file, text: stored.document }]) ?? BASE_URL_DEFAULT, dev: true }
  const compiled = compileTenant(loaded, compileOptions(where, stored.version))
  return compiled.ok ? { ...compiled.tenant.config, digest: stored.digest } : null
}
