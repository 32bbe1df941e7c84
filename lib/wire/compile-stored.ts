// What the store holds of a tenant, compiled: it passed every check when it was applied, and is checked again here, because
// old rows meet new rules. Pure.
import type { TenantConfig } from '../domain/tenant-config.ts'
import { type CompileOptions, compileTenant } from './compile-tenant.ts'
import { tenantDocumentSchema } from './tenant-document.ts'

type Stored = {
  readonly tenant: string
  readonly version: number
  readonly digest: string
  /** Canonical JSON. */
  readonly document: string
}

/** Null: it no longer passes the checks. */
export const compileStored = (stored: Stored, options: Omit<CompileOptions, 'version'>): TenantConfig | null => {
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
  const compiled = compileTenant(loaded, { ...options, version: stored.version })
  return compiled.ok ? { ...compiled.tenant.config, digest: stored.digest } : null
}
