// `mintmark decision ID`: an allow with its outcome, a denial, or the roll-up a denial was counted in.
import type { GrantEntry } from '../../domain/audit-entry.ts'
import type { DenialRollUp, StoredDecision } from '../../domain/grant-record.ts'
import type { DecisionLookup, GrantRecords } from '../../ports/decisions.ts'
import { rowsOf, type Sql } from './connection.ts'
import type { Database } from './database.ts'
import {
  type BodyRow,
  decisionBytes,
  readDenial,
  readGrantEntry,
  readGrantRecord,
  readNotIssued,
  timeOfDecision,
} from './stored-rows.ts'

const OF_TENANT = '(?2 IS NULL OR tenant = ?2)'
const GRANT = `SELECT tenant, body FROM grant_record WHERE decision = ?1 AND ${OF_TENANT}`
const GRANTS = `SELECT body FROM grant_record
  WHERE decision IN (SELECT unhex(value, '-') FROM json_each(?1)) AND tenant = ?2`
const OUTCOME = `SELECT tenant, body FROM not_issued WHERE decision = ?1 AND ${OF_TENANT}`
const DENIAL = `SELECT tenant, body FROM denial WHERE decision = ?1 AND ${OF_TENANT}`
const ROLLED_UP = `SELECT minute, tenant, kind, source, count FROM denial_roll_up
  WHERE id = (SELECT roll_up FROM rolled_up_decision WHERE decision = ?1) AND ${OF_TENANT}`
const UNLISTED = `SELECT sum(unlisted) AS count FROM denial_roll_up WHERE minute = ?1 AND unlisted > 0 AND ${OF_TENANT}`

/** Stands for a kind, source or tenant that is not remembered of this one decision. */
const ANY = '*'

export const createDecisionLookup = (database: Database): DecisionLookup => ({
  find: async (decisionId, tenant) => {
    const bytes = decisionBytes(decisionId)
    return bytes === null ? null : database.read((sql) => find(sql, bytes, tenant))
  },
})

/** Many by one statement: what reads a log asks for those of hundreds of events. */
export const createGrantRecords = (database: Database): GrantRecords => ({
  async of(tenant, decisionIds) {
    const entries = new Map<string, GrantEntry>()
    for (const [body] of database.read((sql) => rowsOf<[string]>(sql(GRANTS), JSON.stringify(decisionIds), tenant))) {
      const entry = readGrantEntry({ tenant, body })
      entries.set(entry.record.decisionId, entry)
    }
    return entries
  },
})

const find = (sql: Sql, decision: Uint8Array, tenant: string | null): StoredDecision | null => {
  const grant = sql(GRANT).get(decision, tenant) as BodyRow | undefined
  if (grant !== undefined) {
    const outcome = sql(OUTCOME).get(decision, tenant) as BodyRow | undefined
    return {
      kind: 'allow',
      record: readGrantRecord(grant),
      notIssued: outcome === undefined ? null : readNotIssued(outcome),
    }
  }
  const denial = sql(DENIAL).get(decision, tenant) as BodyRow | undefined
  if (denial !== undefined) return { kind: 'deny', denial: readDenial(denial) }
  const rollUp = (sql(ROLLED_UP).get(decision, tenant) as DenialRollUp | undefined) ?? unlistedAt(sql, decision, tenant)
  return rollUp === null ? null : { kind: 'rolled_up', rollUp: { ...rollUp } }
}

/** A minute in which more were rolled up than are listed: all that can be said is how many of them there were. */
const unlistedAt = (sql: Sql, decision: Uint8Array, tenant: string | null): DenialRollUp | null => {
  const timeMs = timeOfDecision(decision)
  if (timeMs === null) return null
  const minute = Math.floor(timeMs / 60_000)
  const count = sql(UNLISTED).get(minute, tenant)?.['count']
  return typeof count === 'number' ? { tenant: tenant ?? ANY, minute, kind: ANY, source: ANY, count } : null
}
