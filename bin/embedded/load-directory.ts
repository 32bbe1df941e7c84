// A directory of tenant documents, loaded and checked as a whole: the documents ready to apply, or every problem with its place.
import type { TenantFile } from '../../lib/adapters/files/tenant-files.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { CheckedDocument } from '../../lib/flows/tenants/apply-tenants.ts'
import type { ConfigVersion, TenantConfigStore } from '../../lib/ports/tenants.ts'
import { checkBesideStored, loadTenants } from '../../lib/wire/check-tenants.ts'
import { canonicalDocument } from '../../lib/wire/compile-tenant.ts'
import { formatProblem } from '../../lib/wire/tenant-problem.ts'
import { compileOptions, type Place } from '../policy/compile-options.ts'
import { readDirectory } from '../policy/tenant-directory.ts'

export type LoadedDocuments =
  | {
      readonly ok: true
      readonly documents: readonly CheckedDocument[]
      /** With their places: what one of them wants and a tenant has that the store serves and no file names. Throws Unavailable. */
      readonly problemsBeside: (configs: StoredTenants) => Promise<readonly string[]>
    }
  | { readonly ok: false; readonly problems: readonly string[] }

type StoredTenants = Pick<TenantConfigStore, 'list' | 'latest'>

/** Throws UsageError where there is no such directory or nothing in it. */
export const loadDirectory = (directory: string, place: Place): LoadedDocuments =>
  loadDocuments(readDirectory(directory), place)

export const loadDocuments = (files: readonly TenantFile[], place: Place): LoadedDocuments => {
  const options = compileOptions(place)
  const set = loadTenants(files, options)
  if (set.problems.length > 0) return { ok: false, problems: set.problems.map(formatProblem) }
  return {
    ok: true,
    documents: set.tenants.map(({ loaded, config }) => {
      const document = canonicalDocument(loaded.document)
      return { tenant: config.tenant, document, digest: nodeDigest.sha256(document) }
    }),
    async problemsBeside(configs) {
      const named = new Set(set.tenants.map(({ config }) => config.tenant))
      const stored = await servedBeside(configs, named)
      return checkBesideStored(set.tenants, stored, options).map(formatProblem)
    },
  }
}

const servedBeside = async (configs: StoredTenants, named: ReadonlySet<string>): Promise<readonly ConfigVersion[]> => {
  const beside: ConfigVersion[] = []
  for (const { tenant, tombstonedAtSeconds } of await configs.list()) {
    const latest = named.has(tenant) || tombstonedAtSeconds !== null ? null : await configs.latest(tenant)
    if (latest !== null) beside.push(latest.version)
  }
  return beside
}
