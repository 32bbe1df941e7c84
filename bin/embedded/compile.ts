// Stored tenant documents -> configuration, for every command.
import { keptBaseUrl } from '../../lib/adapters/sqlite/broker-place.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import type { TenantConfig } from '../../lib/domain/tenant-config.ts'
import type { ConfigVersion } from '../../lib/ports/tenants.ts'
import { compileStored as compileDocument, type JudgedStored, judgeStored } from '../../lib/wire/compile-stored.ts'
import { compileOptions, type Place } from '../policy/compile-options.ts'
import { BASE_URL_DEFAULT, baseUrlOf } from '../policy/tenant-directory.ts'

/** A stored version, compiled again; null when it no longer passes the checks. */
export const compileStored = (stored: ConfigVersion, place: Place): TenantConfig | null =>
  compileDocument(stored, compileOptions(place))

/** The same, and which check it does not pass. */
export const explainStored = (stored: ConfigVersion, place: Place): JudgedStored =>
  judgeStored(stored, compileOptions(place))

export type KnownPlace = Place & { readonly isBaseUrlAssumed: boolean }

/**
 * For commands that only explain: the broker that was last started on the store, else the one the document's own audiences
 * name, else an example. What was accepted when it was applied is explained, also where it was applied with --dev.
 */
export const placeOf = (database: Database, { tenant, version, document }: ConfigVersion): KnownPlace => {
  const known = keptBaseUrl(database) ?? baseUrlOf([{ file: `${tenant}@${version}`, text: document }])
  return { baseUrl: known ?? BASE_URL_DEFAULT, dev: true, isBaseUrlAssumed: known === null }
}
