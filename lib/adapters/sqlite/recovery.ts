// Quarantine and recoveries, in mintmark.db: what a restored copy does not know, the first look at its anchors writes again.
import { LIMITS } from '../../domain/limits.ts'
import type { QuarantineReason } from '../../domain/recovery.ts'
import type { RecoveryStore } from '../../ports/recovery.ts'
import type { Database } from './database.ts'

const QUARANTINE = 'INSERT INTO quarantine (id, reason, since) VALUES (1, ?, ?) ON CONFLICT DO NOTHING'
const LIFT = 'DELETE FROM quarantine'
const STATE = `SELECT q.reason AS q_reason, q.since, r.at, r.by, r.reason, r.floor, r.seen
  FROM store LEFT JOIN quarantine q LEFT JOIN (SELECT * FROM recovery ORDER BY seq DESC LIMIT 1) r`
const RECORD = 'INSERT INTO recovery (at, by, reason, floor, seen) VALUES (?, ?, ?, ?, ?)'
// Also of tenants that have no number here: in what was lost they may have had.
const SKIP = `INSERT INTO revocation_feed (tenant, seq) SELECT DISTINCT tenant, ?1 FROM tenant_config WHERE true
  ON CONFLICT (tenant) DO UPDATE SET seq = seq + ?1`
// What they had still to be told is behind the cut of everything, which is the first they are told now.
const FORGET_ANSWERS = 'DELETE FROM receiver_set'
const MOVE_RECEIVERS =
  'UPDATE receiver SET seq = (SELECT seq FROM revocation_feed f WHERE f.tenant = receiver.tenant), retry_at = 0'

type Row = {
  readonly q_reason: string | null
  readonly since: number | null
  readonly at: number | null
  readonly by: string
  readonly reason: string
  readonly floor: number
  readonly seen: string
}

export const createRecoveryStore = (database: Database): RecoveryStore => ({
  async quarantine({ reason, sinceSeconds }) {
    await database.writeControl((sql) => sql(QUARANTINE).run(reason, sinceSeconds))
  },
  async state() {
    const row = database.read((sql) => sql(STATE).get()) as Row
    return {
      quarantine:
        row.q_reason === null ? null : { reason: row.q_reason as QuarantineReason, sinceSeconds: row.since ?? 0 },
      recovery:
        row.at === null
          ? null
          : {
              atSeconds: row.at,
              by: row.by,
              reason: row.reason,
              floorSeconds: row.floor,
              seen: JSON.parse(row.seen) as Record<string, readonly string[]>,
            },
    }
  },
  async skipNumbers() {
    await database.writeControl((sql) => {
      sql(SKIP).run(LIMITS.recoveryNumbersSkipped)
      sql(FORGET_ANSWERS).run()
      sql(MOVE_RECEIVERS).run()
    })
  },
  async finish({ atSeconds, by, reason, floorSeconds, seen }) {
    await database.writeControl((sql) => {
      sql(RECORD).run(atSeconds, by, reason, floorSeconds, JSON.stringify(seen))
      sql(LIFT).run()
    })
  },
})
