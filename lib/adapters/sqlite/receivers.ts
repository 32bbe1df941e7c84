// Receivers of revocations: how far each is, and what it answered to SETs beyond that. Rows of receivers come and go with the
// documents that name them, by a trigger (schema.ts). What a receiver took is one row until all before it is taken too.
import { LIMITS } from '../../domain/limits.ts'
import type { ReceiverState } from '../../domain/receiver-state.ts'
import type { RevocationKind } from '../../domain/revocation.ts'
import type { RevocationChange } from '../../domain/revocation-set.ts'
import type {
  DuePushes,
  PendingChange,
  ReceiverKey,
  ReceiverQueue,
  ReceiverStates,
  SetAnswer,
} from '../../ports/receivers.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { REFUSALS, UNANSWERED } from './schema.ts'

const COLUMNS = 'c.seq, c.id AS revocation, kind, issuer, value, form, not_before, lifted_at'
const NOW = `SELECT ${COLUMNS}, coalesce(changed_at, lifted_at, c.at) AS at FROM revocation c`
const BEFORE = `SELECT ${COLUMNS}, c.at AS at FROM revocation_before c`
// In this order: a revocation that changes in between is found twice under its number, and never not at all.
const CHANGE = [NOW, BEFORE].map((changes) => `${changes} WHERE c.tenant = ? AND c.seq = ?`)
const NEW = [NOW, BEFORE].map((changes) => `${changes} WHERE c.tenant = ? AND c.seq > ? ORDER BY c.seq LIMIT ?`)
const CURSOR = 'SELECT seq FROM receiver WHERE tenant = ? AND name = ?'
const IS_REFUSED = `problem IN (${REFUSALS})`
const REFUSED = `SELECT count(*) AS count FROM receiver_set WHERE tenant = ? AND name = ? AND ${IS_REFUSED}`
// Up to here each change has its row, the ones that were passed over too: what is new begins behind it.
const ANSWERED = 'SELECT max(seq) AS seq FROM receiver_set WHERE tenant = ? AND name = ?'
const ROWS = 'SELECT seq, problem FROM receiver_set WHERE tenant = ? AND name = ?'
export const OPEN_SETS = `${ROWS} AND problem IS NOT NULL AND problem NOT IN (${REFUSALS}) ORDER BY seq LIMIT ?`
/** Least lately tried first, or those beyond one page would never be tried again. */
export const REFUSED_SETS = `${ROWS} AND ${IS_REFUSED} ORDER BY at, seq LIMIT ?`

const PASS_OVER = `INSERT INTO receiver_set (tenant, name, seq, jti, problem, at) VALUES (?, ?, ?, '', '${UNANSWERED}', ?)`
const ANSWER = `INSERT INTO receiver_set (tenant, name, seq, jti, problem, status, at) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (tenant, name, seq) DO UPDATE
  SET jti = excluded.jti, problem = excluded.problem, status = excluded.status, at = excluded.at WHERE problem IS NOT NULL`
const IS_TAKEN = 'SELECT 1 FROM receiver_set WHERE tenant = ? AND name = ? AND seq = ? AND problem IS NULL'
const MOVE = 'UPDATE receiver SET seq = ?3 WHERE tenant = ?1 AND name = ?2'
const FORGET = 'DELETE FROM receiver_set WHERE tenant = ?1 AND name = ?2 AND seq <= ?3'
const LAST = `UPDATE receiver SET last_at = ?3, last_problem = ?4, last_status = ?5, last_bytes = ?6,
  attempts = iif(?4 IS NULL, 0, attempts + 1), retry_at = ?7 WHERE tenant = ?1 AND name = ?2`

/** A removed tenant owes nothing to anybody: what is left of it waits for its erasure. */
const IS_OF_TENANT = 'r.tenant NOT IN (SELECT tenant FROM tenant_tombstone)'
// A lease or a wait that reaches further than either can is of a clock that went back.
const IS_FREE = `(holder = ?1 OR leased_until <= ?2 OR leased_until > ?2 + ${LIMITS.receiverLeaseMs})`
// What is new does not wait for what was refused.
const IS_NEW = `(last_problem IN (${REFUSALS}) AND f.seq > coalesce(
    (SELECT max(seq) FROM receiver_set s WHERE s.tenant = r.tenant AND s.name = r.name), r.seq))`
const DUE = `SELECT r.tenant, r.name FROM receiver r JOIN revocation_feed f ON f.tenant = r.tenant AND f.seq > r.seq
  WHERE type = 'webhook' AND (?3 IS NULL OR r.tenant = ?3) AND ${IS_OF_TENANT} AND ${IS_FREE} AND (retry_at <= ?2 OR retry_at > ?2 + ${LIMITS.receiverRetryMsMax} OR ${IS_NEW})`
const LEASE = `UPDATE receiver SET holder = ?1, leased_until = ?2 + ${LIMITS.receiverLeaseMs}
  WHERE tenant = ?3 AND name = ?4 AND ${IS_FREE} RETURNING attempts`
const RELEASE = "UPDATE receiver SET holder = '', leased_until = 0 WHERE tenant = ? AND name = ? AND holder = ?"

const STATES = `SELECT r.*, coalesce(f.seq, r.seq) - r.seq
    - (SELECT count(*) FROM receiver_set s WHERE s.tenant = r.tenant AND s.name = r.name AND problem IS NULL) AS pending
  FROM receiver r LEFT JOIN revocation_feed f ON f.tenant = r.tenant
  WHERE (?1 IS NULL OR r.tenant = ?1) AND ${IS_OF_TENANT} ORDER BY r.tenant, r.name`

type ChangeRow = {
  readonly seq: number
  readonly revocation: string
  readonly kind: string
  readonly issuer: string
  readonly value: string
  readonly form: 'block' | 'cut'
  readonly not_before: number | null
  readonly lifted_at: number | null
  readonly at: number
}

const changeOf = (row: ChangeRow): RevocationChange => ({
  seq: row.seq,
  revocation: row.revocation,
  kind: row.kind as RevocationKind,
  issuer: row.issuer,
  value: row.value,
  form: row.form,
  notBeforeSeconds: row.not_before,
  isLifted: row.lifted_at !== null,
  atSeconds: row.at,
})

const changeAt = (sql: Sql, tenant: string, seq: number): RevocationChange | null => {
  const found = CHANGE.map((statement) => sql(statement).get(tenant, seq)).find((row) => row !== undefined)
  return found === undefined ? null : changeOf(found as ChangeRow)
}

const newOf = (sql: Sql, { tenant, name }: ReceiverKey, cursor: number, max: number): PendingChange[] => {
  const from = Number(sql(ANSWERED).get(tenant, name)?.['seq'] ?? cursor)
  const found = new Map<number, PendingChange>()
  for (const statement of NEW)
    for (const row of sql(statement).all(tenant, from, max) as ChangeRow[])
      found.set(row.seq, { ...changeOf(row), problem: null })
  return [...found.values()].sort((a, b) => a.seq - b.seq).slice(0, max)
}

const answeredOf = (sql: Sql, statement: string, { tenant, name }: ReceiverKey, max: number): PendingChange[] =>
  (sql(statement).all(tenant, name, max) as { seq: number; problem: string }[]).flatMap(({ seq, problem }) => {
    const change = changeAt(sql, tenant, seq)
    return change === null ? [] : [{ ...change, problem: problem === UNANSWERED ? null : problem }]
  })

const refusedOf = (sql: Sql, { tenant, name }: ReceiverKey): number =>
  Number(sql(REFUSED).get(tenant, name)?.['count'] ?? 0)

export const createReceivers = (database: Database): ReceiverQueue & DuePushes & ReceiverStates => ({
  async pending(receiver, max) {
    return database.read((sql) => {
      const cursor = sql(CURSOR).get(receiver.tenant, receiver.name)?.['seq']
      if (cursor === undefined) return []
      const open = answeredOf(sql, OPEN_SETS, receiver, max)
      const all = [...open, ...newOf(sql, receiver, Number(cursor), max - open.length)]
      return [...all, ...answeredOf(sql, REFUSED_SETS, receiver, max - all.length)]
    })
  },
  async changes(tenant, seqs) {
    return database.read((sql) => seqs.flatMap((seq) => changeAt(sql, tenant, seq) ?? []))
  },
  async answer(receiver, answers, atSeconds, retryAtMs = 0) {
    await database.write((sql) => {
      const cursor = sql(CURSOR).get(receiver.tenant, receiver.name)?.['seq']
      if (cursor !== undefined) recordAnswers(sql, receiver, { cursor: Number(cursor), answers, atSeconds, retryAtMs })
    })
  },
  due: async (holder, nowMs, tenant) => database.read((sql) => sql(DUE).all(holder, nowMs, tenant) as ReceiverKey[]),
  lease: ({ tenant, name }, holder, nowMs) =>
    database.write((sql) => {
      const row = sql(LEASE).get(holder, nowMs, tenant, name)
      return row === undefined ? null : { attempts: Number(row['attempts']) }
    }),
  async release({ tenant, name }, holder) {
    await database.write((sql) => sql(RELEASE).run(tenant, name, holder))
  },
  list: async (tenant) => database.read((sql) => receiverStates(sql, tenant)),
})

/** Null: of every tenant. */
export const receiverStates = (sql: Sql, tenant: string | null): ReceiverState[] =>
  (sql(STATES).all(tenant) as StateRow[]).map((row) => stateOf(sql, row))

type Answers = {
  readonly cursor: number
  readonly answers: readonly SetAnswer[]
  readonly atSeconds: number
  readonly retryAtMs: number
}

const recordAnswers = (sql: Sql, { tenant, name }: ReceiverKey, { cursor, answers, atSeconds, retryAtMs }: Answers) => {
  // What is behind the cursor was taken before, and is answered again.
  for (const { seq, jti, problem, status } of answers)
    if (seq > cursor) {
      passOver(sql, { tenant, name }, cursor, seq, atSeconds)
      sql(ANSWER).run(tenant, name, seq, jti, problem, status, atSeconds)
    }
  let taken = cursor
  while (sql(IS_TAKEN).get(tenant, name, taken + 1) !== undefined) taken += 1
  if (taken > cursor) {
    sql(MOVE).run(tenant, name, taken)
    sql(FORGET).run(tenant, name, taken)
  }
  const last = answers.at(-1)
  sql(LAST).run(tenant, name, atSeconds, last?.problem ?? null, last?.status ?? null, last?.bytes ?? null, retryAtMs)
}

/** Changes before the first answer behind them: rows of their own, so that they are found without a look at all that was taken. */
const passOver = (sql: Sql, { tenant, name }: ReceiverKey, cursor: number, upTo: number, atSeconds: number): void => {
  const from = Number(sql(ANSWERED).get(tenant, name)?.['seq'] ?? cursor)
  for (let seq = from + 1; seq < upTo; seq += 1) sql(PASS_OVER).run(tenant, name, seq, atSeconds)
}

type StateRow = ReceiverKey & {
  readonly type: string
  readonly seq: number
  readonly pending: number
  readonly attempts: number
  readonly last_at: number | null
  readonly last_problem: string | null
  readonly last_status: number | null
  readonly last_bytes: number | null
}

const stateOf = (sql: Sql, row: StateRow): ReceiverState => {
  const key = { tenant: row.tenant, name: row.name }
  return {
    ...key,
    type: row.type === 'poll' ? 'poll' : 'webhook',
    pending: row.pending,
    // The cursor stands before the first that was not taken.
    oldestAtSeconds: changeAt(sql, row.tenant, row.seq + 1)?.atSeconds ?? null,
    refused: refusedOf(sql, key),
    // Each answer has a row.
    full: false,
    attempts: row.attempts,
    last:
      row.last_at === null
        ? null
        : { atSeconds: row.last_at, problem: row.last_problem, status: row.last_status, bytes: row.last_bytes },
  }
}
