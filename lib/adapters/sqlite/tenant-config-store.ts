// Versions of tenant documents, appended, and tombstones. Nothing here is ever changed in place, but by erasure
// (tenant-eraser.ts).
import type { ConfigVersion, TenantConfigStore } from '../../ports/tenants.ts'
import type { Database } from './database.ts'

const COLUMNS = 'c.tenant, c.version, c.digest, c.author, c.commit_id, c.applied_at, c.document, c.diff'
const LATEST = `SELECT ${COLUMNS}, t.at AS tombstoned_at FROM tenant_config c LEFT JOIN tenant_tombstone t ON t.tenant = c.tenant
  WHERE c.tenant = ? ORDER BY c.version DESC LIMIT 1`
const LIST = `SELECT c.tenant, c.version, c.digest, t.at AS tombstoned_at
  FROM (SELECT tenant, max(version) AS version, digest FROM tenant_config GROUP BY tenant) c
  LEFT JOIN tenant_tombstone t ON t.tenant = c.tenant ORDER BY c.tenant`
const VERSION = `SELECT ${COLUMNS} FROM tenant_config c WHERE c.tenant = ? AND c.version = ?`
const SEEN = `SELECT 1 FROM tenant_config WHERE tenant = ?1 AND digest = ?2
  AND version < (SELECT max(version) FROM tenant_config WHERE tenant = ?1)`
const PUT = `INSERT INTO tenant_config (tenant, version, digest, author, commit_id, applied_at, document, diff)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
  WHERE ?2 = 1 + coalesce((SELECT max(version) FROM tenant_config WHERE tenant = ?1), 0)`
const TOMBSTONE = 'INSERT INTO tenant_tombstone (tenant, at, by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'

/** The version decisions are made under; none where the tenant is gone. */
export const CURRENT_VERSION = `SELECT max(version) AS version FROM tenant_config
  WHERE tenant = ?1 AND NOT EXISTS (SELECT 1 FROM tenant_tombstone WHERE tenant = ?1)`

type Row = {
  readonly tenant: string
  readonly version: number
  readonly digest: string
  readonly author: string
  readonly commit_id: string
  readonly applied_at: number
  readonly document: string
  readonly diff: string
}
type Tombstoned = { readonly tombstoned_at: number | null }

const versionOf = (row: Row): ConfigVersion => ({
  tenant: row.tenant,
  version: row.version,
  digest: row.digest,
  author: row.author,
  commit: row.commit_id,
  appliedAtSeconds: row.applied_at,
  document: row.document,
  diff: row.diff,
})

const NEWEST = 'SELECT max(rowid) AS newest FROM tenant_config'
const SINCE = 'SELECT DISTINCT tenant FROM tenant_config WHERE rowid > ?'

/**
 * Names of the tenants whose document was applied since the last call, by any process. A hint, cheap enough to ask all the time:
 * one applied in the moment in which the newest version was erased is not named.
 */
export const watchTenantConfigs = (database: Database): (() => readonly string[]) => {
  const newest = () => Number(database.read((sql) => sql(NEWEST).get()?.['newest'] ?? 0))
  let seen = newest()
  return () => {
    const current = newest()
    const applied = current > seen ? database.read((sql) => sql(SINCE).all(seen)) : []
    seen = current
    return applied.map(({ tenant }) => String(tenant))
  }
}

export const createTenantConfigStore = (database: Database): TenantConfigStore => ({
  async latest(tenant) {
    const row = database.read((sql) => sql(LATEST).get(tenant)) as (Row & Tombstoned) | undefined
    return row === undefined ? null : { version: versionOf(row), tombstonedAtSeconds: row.tombstoned_at }
  },
  async list() {
    const rows = database.read((sql) => sql(LIST).all()) as (Pick<Row, 'tenant' | 'version' | 'digest'> & Tombstoned)[]
    return rows.map(({ tenant, version, digest, tombstoned_at }) => ({
      tenant,
      version,
      digest,
      tombstonedAtSeconds: tombstoned_at,
    }))
  },
  async version(tenant, version) {
    const row = database.read((sql) => sql(VERSION).get(tenant, version)) as Row | undefined
    return row === undefined ? null : versionOf(row)
  },
  seen: async (tenant, digest) => database.read((sql) => sql(SEEN).get(tenant, digest)) !== undefined,
  put: ({ tenant, version, digest, author, commit, appliedAtSeconds, document, diff }) =>
    database.writeControl(
      (sql) => sql(PUT).run(tenant, version, digest, author, commit, appliedAtSeconds, document, diff).changes === 1,
    ),
  async tombstone(tenant, atSeconds, by) {
    await database.writeControl((sql) => sql(TOMBSTONE).run(tenant, atSeconds, by))
  },
})
