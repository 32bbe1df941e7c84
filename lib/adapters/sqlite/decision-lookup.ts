// `mintmark decision ID`: an allow with its outcome, a denial, or the roll-up a denial was counted in.
import { NOT_LISTED } from '../../domain/denial-roll-up.ts'
import type { DenialRollUp, StoredDecision } from '../../domain/grant-record.ts'
import type { DecisionLookup, GrantRecords, RecordedGrant } from '../../ports/decisions.ts'
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
  uuidOf,
} from './stored-rows.ts'

const OF_TENANT = '(?2 IS NULL OR tenant = ?2)'
const GRANT = `SELECT tenant, body FROM grant_record WHERE decision = ?1 AND ${OF_TENANT}`
const GRANTS = `SELECT seq, lower(hex(decision)), body FROM grant_record
  WHERE decision IN (SELECT unhex(value, '-') FROM json_each(?1)) AND tenant = ?2`
const SPAN = `SELECT min(seq), max(seq) FROM grant_record WHERE decision IN (SELECT unhex(value, '-') FROM json_each(?))`
const IN_SPAN = `SELECT seq, lower(hex(decision)), body FROM grant_record
  WHERE seq BETWEEN ? AND ? AND tenant = ? ORDER BY seq`
const OUTCOME = `SELECT tenant, body FROM not_issued WHERE decision = ?1 AND ${OF_TENANT}`
const DENIAL = `SELECT tenant, body FROM denial WHERE decision = ?1 AND ${OF_TENANT}`
const ROLLED_UP = `SELECT minute, tenant, kind, source, count FROM denial_roll_up
  WHERE id = (SELECT roll_up FROM rolled_up_decision WHERE decision = ?1) AND ${OF_TENANT}`
const UNLISTED = `SELECT sum(unlisted) AS count FROM denial_roll_up WHERE minute = ?1 AND unlisted > 0 AND ${OF_TENANT}`

export const createDecisionLookup = (database: Database): DecisionLookup => ({
  find: async (decisionId, tenant) => {
    const bytes = decisionBytes(decisionId)
    return bytes === null ? null : database.read((sql) => find(sql, bytes, tenant))
  },
})

type Row = readonly [sequence: number, id: string, body: string]

/** Those of a stretch of a log mostly lie side by side: from the first to the last of them is read, and only then what is not there. */
export const createGrantRecords = (database: Database): GrantRecords => ({
  async of(tenant, decisionIds) {
    const asked = new Set(decisionIds)
    const entries = new Map<string, RecordedGrant>()
    const add = (rows: readonly Row[], areSideBySide: boolean): void => {
      let before: number | null = null
      for (const [until, id, body] of rows) {
        const entry = readGrantEntry({ tenant, body })
        const { decisionId } = entry.record
        // A row that says it is another's is the leaf of neither.
        const span = uuidOf(id) === decisionId ? { span: { after: before ?? until - 1, until } } : {}
        if (asked.has(decisionId)) entries.set(decisionId, { ...entry, ...span })
        if (areSideBySide) before = until
      }
    }
    database.read((sql) => {
      const span = spanOf(sql, decisionIds)
      if (span !== null) add(rowsOf(sql(IN_SPAN), ...span, tenant), true)
      const others = decisionIds.filter((id) => !entries.has(id))
      if (others.length > 0) add(rowsOf(sql(GRANTS), JSON.stringify(others), tenant), false)
    })
    return entries
  },
})

/** Looked for at both ends, where not every one is of a grant. */
const ENDS = 8
/** Rows for each that is asked for: with more of other tenants between them they are sooner found one by one. */
const ROWS_EACH = 2

/** Where those rows are which these begin and end with; null: not side by side. */
const spanOf = (sql: Sql, decisionIds: readonly string[]): readonly [from: number, to: number] | null => {
  const ends = JSON.stringify([...decisionIds.slice(0, ENDS), ...decisionIds.slice(-ENDS)])
  const [[from, to] = [null, null]] = rowsOf<readonly [number | null, number | null]>(sql(SPAN), ends)
  return from === null || to === null || to - from > ROWS_EACH * decisionIds.length ? null : [from, to]
}

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
  return typeof count === 'number'
    ? { tenant: tenant ?? NOT_LISTED, minute, kind: NOT_LISTED, source: NOT_LISTED, count }
    : null
}
