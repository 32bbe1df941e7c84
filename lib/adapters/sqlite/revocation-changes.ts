// Revocations in the order of their changes. Numbers are given by triggers, in the transaction of the change itself, whoever
// makes it: a program of the version before too.
import type { RevocationKind } from '../../domain/revocation.ts'
import type { RevocationChanges } from '../../ports/revocation-feed.ts'
import type { Database } from './database.ts'

const HEAD = 'SELECT seq FROM revocation_feed WHERE tenant = ?'
// One statement, and so one snapshot: a row that changes meanwhile is either here or behind `head`, never between.
const SINCE = `SELECT f.seq AS head, r.seq, kind, issuer, value, form, not_before, lifted_at
  FROM revocation_feed f LEFT JOIN revocation r ON r.tenant = f.tenant AND r.seq > ?2
  WHERE f.tenant = ?1 ORDER BY r.seq LIMIT ?3`

type Row = {
  readonly head: number
  readonly seq: number | null
  readonly kind: string
  readonly issuer: string
  readonly value: string
  readonly form: 'block' | 'cut'
  readonly not_before: number | null
  readonly lifted_at: number | null
}

export const createRevocationChanges = (database: Database): RevocationChanges => ({
  head: async (tenant) => Number(database.read((sql) => sql(HEAD).get(tenant))?.['seq'] ?? 0),
  async since(tenant, cursor, max) {
    const rows = database.read((sql) => sql(SINCE).all(tenant, cursor, max)) as Row[]
    const head = rows[0]?.head ?? 0
    const changed = rows.filter(({ seq }) => seq !== null)
    return {
      head,
      next: changed.length < max ? head : (changed.at(-1)?.seq ?? head),
      changes: changed.map(({ kind, issuer, value, form, not_before: notBeforeSeconds, lifted_at: liftedAt }) => ({
        kind: kind as RevocationKind,
        issuer,
        value,
        form,
        notBeforeSeconds,
        isLifted: liftedAt !== null,
      })),
    }
  },
})
