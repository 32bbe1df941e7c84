// Tenant documents for commands that work offline: a directory in, checked tenants and problems out.
import { readTenantFiles, type TenantFile } from '../../lib/adapters/files/tenant-files.ts'
import { loadTenants, type TenantSet } from '../../lib/wire/check-tenants.ts'
import { loadTenant } from '../../lib/wire/load-tenant.ts'
import { UsageError } from '../command.ts'
import { wordsOf } from '../words-of.ts'
import { readBaseUrl } from './base-url.ts'
import { compileOptions } from './compile-options.ts'

export const BASE_URL_DEFAULT = 'https://sts.example.com'

export type DirectoryOptions = { readonly baseUrl: string | undefined; readonly dev: boolean }

/** Reads and checks DIR. Throws UsageError where there is no such directory or nothing in it. */
export const loadTenantDirectory = (
  directory: string,
  options: DirectoryOptions,
): TenantSet & {
  readonly files: readonly TenantFile[]
  readonly baseUrl: string
  /** Nothing says which broker the documents are for. */
  readonly isBaseUrlAssumed: boolean
} => {
  const given = readBaseUrl(options.baseUrl)
  const files = readDirectory(directory)
  const known = given ?? baseUrlOf(files)
  const baseUrl = known ?? BASE_URL_DEFAULT
  const set = loadTenants(files, compileOptions({ baseUrl, dev: options.dev }))
  return { ...set, files, baseUrl, isBaseUrlAssumed: known === null }
}

/** The documents of DIR, unread by anybody yet. Throws UsageError where there is no such directory or nothing in it. */
export const readDirectory = (directory: string): readonly TenantFile[] => {
  let files: readonly TenantFile[]
  try {
    files = readTenantFiles(directory)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    // A document that leads nowhere is not the directory.
    const { path = directory } = error as NodeJS.ErrnoException
    throw new UsageError(`cannot read ${path}: ${wordsOf(error)}`)
  }
  if (files.length === 0) throw new UsageError(`there is no tenant document (*.yaml) in ${directory}`)
  return files
}

/** For stderr: what was judged against a broker nobody named. */
export const assumption = (baseUrl: string): string =>
  `nothing says the base URL of the broker: ${baseUrl} is assumed; --base-url names another`

/** Documents that write an audience out say which broker they are for: no --base-url is needed to check them. */
export const baseUrlOf = (files: readonly TenantFile[]): string | null => {
  for (const file of files) {
    const loaded = loadTenant(file)
    if (!loaded.ok) continue
    const { tenant, issuers, events = {} } = loaded.loaded.document
    for (const source of [...Object.values(issuers), ...Object.values(events)]) {
      const audience = 'audience' in source ? source.audience : undefined
      const end = audience?.search(new RegExp(`/t/${tenant}(?:[/#]|$)`)) ?? -1
      if (audience !== undefined && end > 0 && /^https?:\/\//.test(audience)) return audience.slice(0, end)
    }
  }
  return null
}
