// Grant records: replay marker, issuance record and change-feed entry in one row, so that none is ever there without the
// others. The unique index on the guard is the only judge of who was first, for any number of processes (P4).
import type { StatementSync } from 'node:sqlite'
import type { NotIssued } from '../../domain/grant-record.ts'
import type { GrantPut, GrantStore, PutOutcome } from '../../ports/grant-store.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { createGroupCommit, type Job } from './group-commit.ts'
import { INSERT_PROOF } from './proof-guards.ts'
import { ownDecisionBytes, readGrantRecord, tenantKey } from './stored-rows.ts'

const INSERT = `INSERT INTO grant_record (guard, decision, tenant, at, exp, keep_until, body) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (guard) DO NOTHING`
const FIND = `SELECT decision, tenant, body, EXISTS (SELECT 1 FROM not_issued n WHERE n.decision = g.decision) AS outcome
  FROM grant_record g WHERE guard = ?`
const INSERT_OUTCOME =
  'INSERT INTO not_issued (decision, tenant, at, body) VALUES (?, ?, ?, ?) ON CONFLICT (decision) DO NOTHING'
const FIND_OUTCOME = 'SELECT 1 FROM not_issued WHERE decision = ?'

const CREATED: PutOutcome = { outcome: 'created' }
const PROOF_REPLAYED: PutOutcome = { outcome: 'proof_replayed' }

type FoundRow = {
  readonly decision: Uint8Array
  readonly tenant: string
  readonly body: string
  readonly outcome: number
}

export const createGrantStore = (database: Database): GrantStore => {
  const commits = createGroupCommit(database)
  return {
    // async: a record that cannot be a row rejects, it does not throw at whoever gathers several.
    put: async (put) => commits.submit(putJob(put)),
    find: async (tenant, guard) => {
      const row = database.read((sql) => rowUnder(sql(FIND), tenantKey(tenant, guard)))
      return row === null ? null : { record: readGrantRecord(row), notIssued: row.outcome === 1 }
    },
    putNotIssued: async ({ outcome }) => commits.submit(outcomeJob(outcome)),
  }
}

const putJob = (put: GrantPut): Job<PutOutcome> => {
  const { record } = put
  const guard = tenantKey(record.tenant, put.guard)
  const decision = ownDecisionBytes(record.decisionId)
  const body = JSON.stringify(record)
  const proof =
    put.proofGuard === null
      ? null
      : { hash: tenantKey(record.tenant, put.proofGuard.hash), keepUntil: put.proofGuard.keepUntilSeconds }
  const insert = (sql: Sql): boolean =>
    sql(INSERT).run(guard, decision, record.tenant, record.atSeconds, record.evidence.exp, put.keepUntilSeconds, body)
      .changes === 1
  const existing = (sql: Sql): PutOutcome | null => {
    const row = rowUnder(sql(FIND), guard)
    return row === null ? null : { outcome: 'exists', existing: readGrantRecord(row), notIssued: row.outcome === 1 }
  }
  const mustExist = (sql: Sql): PutOutcome => {
    const found = existing(sql)
    if (found === null) throw new Error('a guard was neither inserted nor found')
    return found
  }
  return {
    run: (sql) => {
      if (proof === null) return insert(sql) ? CREATED : mustExist(sql)
      // A proof is spent only together with a redemption: a second put for evidence that is spent must not spend it.
      const found = existing(sql)
      if (found !== null) return found
      if (sql(INSERT_PROOF).run(proof.hash, proof.keepUntil).changes === 0) return PROOF_REPLAYED
      return insert(sql) ? CREATED : mustExist(sql)
    },
    readBack: (sql) => {
      const row = rowUnder(sql(FIND), guard)
      if (row === null) return null
      return { value: Buffer.compare(row.decision, decision) === 0 ? CREATED : mustExist(sql) }
    },
  }
}

const outcomeJob = (outcome: NotIssued): Job<void> => {
  const decision = ownDecisionBytes(outcome.decisionId)
  const body = JSON.stringify(outcome)
  return {
    run: (sql) => void sql(INSERT_OUTCOME).run(decision, outcome.tenant, outcome.atSeconds, body),
    readBack: (sql) => (sql(FIND_OUTCOME).get(decision) === undefined ? null : { value: undefined }),
  }
}

const rowUnder = (statement: StatementSync, guard: Uint8Array): FoundRow | null =>
  (statement.get(guard) as FoundRow | undefined) ?? null
