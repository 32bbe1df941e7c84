// What the store holds of a tenant, compiled: it passed every check when it was applied, and is checked again here, because
// old rows meet new rules. Pure.
import type { TenantConfig } from '../domain/tenant-config.ts'
import { type CompileOptions, compileTenant } from './compile-tenant.ts'
import { tenantDocumentSchema } from './tenant-document.ts'
import type { LoadedTenant } from './tenant-problem.ts'

type Stored = {
  readonly tenant: string
  readonly version: number
  readonly digest: string
  /** Canonical JSON. */
  readonly document: string
}

type Options = Omit<CompileOptions, 'version'>

export type JudgedStored =
  | { readonly ok: true; readonly config: TenantConfig }
  /** The first check it no longer passes. */
  | { readonly ok: false; readonly problem: string }

/** Null: it no longer passes the checks. */
export const compileStored = (stored: Stored, options: Options): TenantConfig | null => {
  const judged = judgeStored(stored, options)
  return judged.ok ? judged.config : null
}

type NotPassed = Extract<JudgedStored, { readonly ok: false }>

/** As compileStored; where it does not pass, why. */
export const judgeStored = (stored: Stored, options: Options): JudgedStored => {
  const read = readStored(stored)
  if (!read.ok) return read
  const compiled = compileTenant(read.loaded, { ...options, version: stored.version })
  return compiled.ok
    ? { ok: true, config: { ...compiled.tenant.config, digest: stored.digest } }
    : refused(compiled.problems[0])
}

/** The document, as a file is read; it lies nowhere but in the store. */
export const readStored = (stored: Stored): { readonly ok: true; readonly loaded: LoadedTenant } | NotPassed => {
  const file = `${stored.tenant}@${stored.version}`
  // It was written as JSON by apply: no need for the YAML reader, which would cost a cold tenant's first request milliseconds.
  const document = tenantDocumentSchema.safeParse(JSON.parse(stored.document))
  if (!document.success) return refused(document.error.issues[0])
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
  return { ok: true, loaded }
}

type Found = { readonly path: string | readonly PropertyKey[]; readonly message: string }

const refused = (problem: Found | undefined): NotPassed => {
  if (problem === undefined) return { ok: false, problem: '' }
  const path = typeof problem.path === 'string' ? problem.path : problem.path.map(String).join(' › ')
  return { ok: false, problem: path === '' ? problem.message : `${path}: ${problem.message}` }
}
