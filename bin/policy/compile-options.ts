// What the compiler of tenant documents must know of the broker they are for: one set of options for every command.
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import type { CompileOptions } from '../../lib/wire/compile-tenant.ts'

export type Place = { readonly baseUrl: string; readonly dev: boolean }

/** `version`: the stored one; 0 for documents that are in no store yet. */
export const compileOptions = (place: Place, version = 0): CompileOptions => ({
  ...place,
  version,
  catalog: PROVIDER_CATALOG,
  sha256: nodeDigest.sha256,
})
