// Tenant documents for commands that work offline: a directory in, checked tenants and problems out.
import { readTenantFiles, type TenantFile } from '../../lib/adapters/files/tenant-files.ts'
import { loadTenants, type TenantSet } from '../../lib/wire/check-tenants.ts'
import { loadTenant } from '../../lib/wire/load-tenant.ts'
import { UsageError } from '../command.ts'
import { compileOptions } from './compile-options.ts'

export const BASE_URL_DEFAULT = 'https://sts.example.com'

export type DirectoryOptions = { readonly baseUrl: string | undefined; readonly dev: boolean }

/** Reads and checks DIR. Throws UsageError where there is no such directory or nothing in it. */
export const loadTenantDirectory = (
  directory: string,
  options: DirectoryOptions,
): TenantSet & { readonly files: readonly TenantFile[]; readonly baseUrl: string } => {
  const files = readDirectory(directory)
  if (files.length === 0) throw new UsageError(`there is no tenant document (*.yaml) in ${directory}`)
  const baseUrl = options.baseUrl ?? baseUrlOf(files) ?? BASE_URL_DEFAULT
  return { ...loadTenants(files, compileOptions({ baseUrl, dev: options.dev })), files, baseUrl }
}

const readDirectory = (directory: string): readonly TenantFile[] => {
  try {
    return readTenantFiles(directory)
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      throw new UsageError(`cannot read ${directory}: ${String(error.code)}`)
    throw error
  }
}

/** Documents that write their audience out say which broker they are for: no --base-url is needed to check them. */
export const baseUrlOf = (files: readonly TenantFile[]): string | null => {
  for (const file of files) {
    const loaded = loadTenant(file)
    if (!loaded.ok) continue
    const { tenant, issuers } = loaded.loaded.document
    for (const { audience } of Object.values(issuers)) {
      const end = audience?.search(new RegExp(`/t/${tenant}(?:[/#]|$)`)) ?? -1
      if (audience !== undefined && end > 0 && /^https?:\/\//.test(audience)) return audience.slice(0, end)
    }
  }
  return null
}
