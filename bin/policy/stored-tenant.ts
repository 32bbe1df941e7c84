// The current configuration of a tenant in a data directory, for commands that explain. Safe beside a running broker.
import { existsSync } from 'node:fs'
import { databasePath } from '../../lib/adapters/sqlite/data-directory.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import { UsageError } from '../command.ts'
import { explainStored, placeOf } from '../embedded/compile.ts'
import { readBaseUrl } from './base-url.ts'
import { assumption } from './tenant-directory.ts'

export type StoredTenant =
  | { readonly ok: true; readonly config: TenantConfig; readonly warning: string | null }
  | { readonly ok: false; readonly problem: string }

/** `given`: the base URL; undefined: that of the broker, as far as the store or the document says it. Throws UsageError where there is no store or tenant. */
export const loadStoredTenant = async (
  dataDir: string,
  tenant: string,
  given: string | undefined,
): Promise<StoredTenant> => {
  const baseUrl = readBaseUrl(given)
  // Opening would make one: a mistyped directory must not become an empty store.
  if (!existsSync(databasePath(dataDir))) throw new UsageError(`there is no store in ${dataDir}`)
  const database = openDatabase({ dataDir, dev: null })
  try {
    const configs = createTenantConfigStore(database)
    const latest = await configs.latest(tenant)
    if (latest === null) {
      const names = (await configs.list()).map((row) => row.tenant).join(', ')
      throw new UsageError(`there is no tenant "${tenant}" in ${dataDir}: ${names}`)
    }
    if (latest.tombstonedAtSeconds !== null)
      return { ok: false, problem: `tenant "${tenant}" was removed: every request is refused` }
    const { version } = latest
    const place = baseUrl === undefined ? placeOf(database, version) : { baseUrl, dev: true, isBaseUrlAssumed: false }
    const warning = place.isBaseUrlAssumed ? assumption(place.baseUrl) : null
    const judged = explainStored(version, place)
    if (judged.ok) return { ok: true, config: judged.config, warning }
    const says = `version ${version.version} of tenant "${tenant}" no longer passes the checks: ${judged.problem}`
    return { ok: false, problem: warning === null ? says : `${says} (${warning})` }
  } finally {
    database.close()
  }
}
