// Key sets of issuers, as trust last fetched them: one row a source. Public keys, judged anew by whoever reads them.
import { type JsonValue, withoutPrototype } from '../../domain/claims.ts'
import type { IssuerKeyStore } from '../../ports/issuer-keys.ts'
import type { Database } from './database.ts'

const READ = 'SELECT jwks, fetched_at, spiffe_sequence, unknown_key_fetch_at FROM issuer_key_set WHERE source_id = ?'
const WRITE = `INSERT INTO issuer_key_set (source_id, jwks, fetched_at, spiffe_sequence, unknown_key_fetch_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (source_id) DO UPDATE SET jwks = excluded.jwks, fetched_at = excluded.fetched_at,
    spiffe_sequence = excluded.spiffe_sequence, unknown_key_fetch_at = excluded.unknown_key_fetch_at`

type Row = {
  readonly jwks: string
  readonly fetched_at: number
  readonly spiffe_sequence: number | null
  readonly unknown_key_fetch_at: number | null
}

export const createIssuerKeyStore = (database: Database): IssuerKeyStore => ({
  async read(sourceId) {
    const row = database.read((sql) => sql(READ).get(sourceId)) as Row | undefined
    if (row === undefined) return null
    return {
      sourceId,
      jwks: JSON.parse(row.jwks, withoutPrototype) as JsonValue,
      fetchedAtSeconds: row.fetched_at,
      spiffeSequence: row.spiffe_sequence,
      unknownKeyFetchAtSeconds: row.unknown_key_fetch_at,
    }
  },
  async write({ sourceId, jwks, fetchedAtSeconds, spiffeSequence, unknownKeyFetchAtSeconds }) {
    const text = JSON.stringify(jwks)
    await database.write((sql) =>
      sql(WRITE).run(sourceId, text, fetchedAtSeconds, spiffeSequence, unknownKeyFetchAtSeconds),
    )
  },
})
