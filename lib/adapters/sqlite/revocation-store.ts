// Revocations in force and lifted. A row carries the control version it was last changed under, so that every process can
// fetch what is new instead of everything (a storm of 100,000 revocations costs each of them once).
import type { Revocation, RevocationKind } from '../../domain/revocation.ts'
import type { RevocationPages, RevocationStore } from '../../ports/revocations.ts'
import type { Database } from './database.ts'

const COLUMNS = 'id, tenant, kind, issuer, value, form, not_before, reason, by, at, lifted_at'

// max(NULL, NULL) of a block is NULL; nothing else of a revocation in force moves, not even who asked first.
const PUT = `INSERT INTO revocation (id, tenant, kind, issuer, value, form, not_before, reason, by, at, changed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (tenant, kind, issuer, value, form) WHERE lifted_at IS NULL
  DO UPDATE SET not_before = max(not_before, excluded.not_before), changed = excluded.changed
  RETURNING ${COLUMNS}`
const LIST = `SELECT ${COLUMNS} FROM revocation WHERE tenant = ? AND lifted_at IS NULL ORDER BY rowid`
const PAGE = `SELECT ${COLUMNS}, seq FROM revocation
  WHERE tenant = ? AND seq > ? AND lifted_at IS NULL ORDER BY seq LIMIT ?`
const FIND = `SELECT ${COLUMNS} FROM revocation WHERE tenant = ? AND id = ? AND lifted_at IS NULL`
const LIFT = `UPDATE revocation SET lifted_at = ?, lifted_by = ?, lifted_reason = ?, changed = ?
  WHERE tenant = ? AND id = ? AND form = 'block' AND lifted_at IS NULL`

/** Rows of a tenant, lifted ones among them, that changed after a control version. */
export const CHANGED_REVOCATIONS = `SELECT ${COLUMNS} FROM revocation WHERE tenant = ? AND changed > ? ORDER BY changed`

export type RevocationRow = {
  readonly id: string
  readonly tenant: string
  readonly kind: string
  readonly issuer: string
  readonly value: string
  readonly form: 'block' | 'cut'
  readonly not_before: number | null
  readonly reason: string
  readonly by: string
  readonly at: number
  readonly lifted_at: number | null
}

export const revocationOf = (row: RevocationRow): Revocation => ({
  id: row.id,
  tenant: row.tenant,
  kind: row.kind as RevocationKind,
  issuer: row.issuer,
  value: row.value,
  form: row.form,
  notBeforeSeconds: row.not_before,
  reason: row.reason,
  by: row.by,
  atSeconds: row.at,
})

export const createRevocationStore = (database: Database): RevocationStore & RevocationPages => ({
  put: ({ id, tenant, kind, issuer, value, form, notBeforeSeconds, reason, by, atSeconds }) =>
    database.writeControl((sql, version) =>
      revocationOf(
        sql(PUT).get(
          id,
          tenant,
          kind,
          issuer,
          value,
          form,
          notBeforeSeconds,
          reason,
          by,
          atSeconds,
          version,
        ) as RevocationRow,
      ),
    ),
  list: async (tenant) => database.read((sql) => (sql(LIST).all(tenant) as RevocationRow[]).map(revocationOf)),
  async page(tenant, after, max) {
    const rows = database.read((sql) => sql(PAGE).all(tenant, after, max)) as (RevocationRow & {
      readonly seq: number
    })[]
    const last = rows.at(-1)
    return {
      revocations: rows.map(revocationOf),
      next: rows.length < max || last === undefined ? null : last.seq,
    }
  },
  async find(tenant, id) {
    const row = database.read((sql) => sql(FIND).get(tenant, id)) as RevocationRow | undefined
    return row === undefined ? null : revocationOf(row)
  },
  lift: ({ tenant, id, by, reason, atSeconds }) =>
    database.writeControl((sql, version) => sql(LIFT).run(atSeconds, by, reason, version, tenant, id).changes === 1),
})
