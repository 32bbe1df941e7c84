// A directory of tenant documents, loaded and checked as a whole: the documents ready to apply, or every problem with its place.
import type { TenantFile } from '../../lib/adapters/files/tenant-files.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { CheckedDocument } from '../../lib/flows/tenants/apply-tenants.ts'
import { loadTenants } from '../../lib/wire/check-tenants.ts'
import { canonicalDocument } from '../../lib/wire/compile-tenant.ts'
import { formatProblem } from '../../lib/wire/tenant-problem.ts'
import { compileOptions, type Place } from '../policy/compile-options.ts'
import { readDirectory } from '../policy/tenant-directory.ts'

export type LoadedDocuments =
  | { readonly ok: true; readonly documents: readonly CheckedDocument[] }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Throws UsageError where there is no such directory or nothing in it. */
export const loadDirectory = (directory: string, place: Place): LoadedDocuments =>
  loadDocuments(readDirectory(directory), place)

export const loadDocuments = (files: readonly TenantFile[], place: Place): LoadedDocuments => {
  const set = loadTenants(files, compileOptions(place))
  if (set.problems.length > 0) return { ok: false, problems: set.problems.map(formatProblem) }
  return {
    ok: true,
    documents: set.tenants.map(({ loaded, config }) => {
      const document = canonicalDocument(loaded.document)
      return { tenant: config.tenant, document, digest: nodeDigest.sha256(document) }
    }),
  }
}
