// Dead letters of sinks and errands of operators, in audit.db: `mintmark sinks` writes them beside a running broker, and the
// broker's deliverer does them.
import type { DeadLetterReason, SinkErrand, SinkStatus, SinkTrouble } from '../../domain/sink.ts'
import type { SinkBoard, SinkErrands } from '../../ports/sinks.ts'
import type { Database } from './database.ts'

const ASK = 'INSERT INTO sink_errand (id, tenant, sink, kind, asked_at) VALUES (?, ?, ?, ?, ?)'
const FIND = 'SELECT id, tenant, sink, kind, outcome FROM sink_errand WHERE id = ? AND tenant = ?'
const OPEN = `SELECT id, tenant, sink, kind, outcome FROM sink_errand
  WHERE tenant = ? AND sink = ? AND asked_at >= ? AND outcome IS NULL ORDER BY asked_at, id`
const DONE = 'UPDATE sink_errand SET outcome = ?2 WHERE id = ?1'
const FORGET = 'DELETE FROM sink_errand WHERE tenant = ? AND asked_at < ?'
const LETTERS = `SELECT seq, leaf, reason, event FROM sink_dead_letter
  WHERE tenant = ? AND sink = ? AND seq > ? ORDER BY seq LIMIT ?`
const DROP = 'DELETE FROM sink_dead_letter WHERE tenant = ? AND sink = ? AND seq = ?'

const KEEP_SECONDS = 24 * 3600

type ErrandRow = Omit<SinkErrand, 'outcome'> & { readonly outcome: string | null }

const errandOf = ({ outcome, ...rest }: ErrandRow): SinkErrand => ({
  ...rest,
  outcome: outcome === null ? null : (JSON.parse(outcome) as SinkErrand['outcome']),
})

export const createSinkErrands = (database: Database): SinkErrands => ({
  async ask({ id, tenant, sink, kind }, atSeconds) {
    await database.write((sql) => {
      sql(FORGET).run(tenant, atSeconds - KEEP_SECONDS)
      sql(ASK).run(id, tenant, sink, kind, atSeconds)
    })
  },
  async find(tenant, id) {
    const row = database.read((sql) => sql(FIND).get(id, tenant)) as ErrandRow | undefined
    return row === undefined ? null : errandOf(row)
  },
  open: async ({ tenant, sink }, sinceSeconds) =>
    (database.read((sql) => sql(OPEN).all(tenant, sink, sinceSeconds)) as ErrandRow[]).map(errandOf),
  async done({ id, outcome }) {
    await database.write((sql) => sql(DONE).run(id, JSON.stringify(outcome)))
  },
  deadLetters: async ({ tenant, sink }, after, limit) =>
    database
      .read((sql) => sql(LETTERS).all(tenant, sink, after, limit))
      .map((row) => ({
        seq: Number(row['seq']),
        leaf: row['leaf'] as number | null,
        reason: row['reason'] as DeadLetterReason,
        canonical: String(row['event']),
      })),
  async drop({ tenant, sink }, seq) {
    await database.write((sql) => sql(DROP).run(tenant, sink, seq))
  },
})

const STATE = 'SELECT leaf, failures, trouble, delivered_at FROM log_sink WHERE tenant = ? AND sink = ?'
const SIZE = 'SELECT size FROM log WHERE tenant = ?'
const FIRST_LEFT = 'SELECT at FROM log_leaf WHERE tenant = ? AND leaf >= ? ORDER BY leaf LIMIT 1'
const DEAD = 'SELECT reason, count(*) AS count FROM sink_dead_letter WHERE tenant = ? AND sink = ? GROUP BY reason'

export const createSinkBoard = (database: Database): SinkBoard => ({
  status: async (tenant, sinks, nowSeconds) =>
    database.read((sql) => {
      const size = Number(sql(SIZE).get(tenant)?.['size'] ?? 0)
      return sinks.map(({ name, type }): SinkStatus => {
        const state = sql(STATE).get(tenant, name)
        const leaf = Number(state?.['leaf'] ?? 0)
        const at = sql(FIRST_LEFT).get(tenant, leaf)?.['at']
        const dead = sql(DEAD)
          .all(tenant, name)
          .map((row) => [row['reason'], row['count']])
        return {
          name,
          type,
          backlogLeaves: Math.max(0, size - leaf),
          lagSeconds: at === undefined ? 0 : Math.max(0, nowSeconds - Number(at)),
          deliveredAtSeconds: (state?.['delivered_at'] ?? null) as number | null,
          trouble: (state?.['trouble'] ?? null) as SinkTrouble | null,
          failures: Number(state?.['failures'] ?? 0),
          deadLetters: Object.fromEntries(dead) as SinkStatus['deadLetters'],
        }
      })
    }),
})
