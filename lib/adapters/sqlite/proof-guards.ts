// Proofs that callers spend, in the table that redemptions spend theirs in. Calls of one turn share a commit.
import type { ProofGuards } from '../../ports/proof-guards.ts'
import type { Database } from './database.ts'
import { createGroupCommit } from './group-commit.ts'
import { tenantKey } from './stored-rows.ts'

export const INSERT_PROOF = 'INSERT INTO proof_guard (hash, keep_until) VALUES (?, ?) ON CONFLICT DO NOTHING'

export const createProofGuards = (database: Database): ProofGuards => {
  const commits = createGroupCommit(database)
  return {
    spend: (tenant, { hash, keepUntilSeconds }) =>
      commits.submit({
        run: (sql) => sql(INSERT_PROOF).run(tenantKey(tenant, hash), keepUntilSeconds).changes === 1,
        // A row does not say whose call wrote it.
        readBack: () => null,
      }),
  }
}
