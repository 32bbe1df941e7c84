// Expiry of a log's events: those a checkpoint of long ago covers, from the front. What they say and the salts are overwritten;
// commitments, tiles and that checkpoint stay, so the log still verifies, and shows that nothing younger was dropped.
import { LIMITS } from '../../domain/limits.ts'
import type { LogRetention } from '../../ports/tenant-log.ts'
import type { Database } from './database.ts'
import { emptyWal } from './log-eraser.ts'

// What a sink has still to be given is not dropped: one without a row has been given nothing, and rows of others are left over.
const EXPIRED = `SELECT size, minute FROM log_checkpoint WHERE tenant = ?1 AND minute < ?2
    AND size <= coalesce((SELECT min(coalesce(s.leaf, 0)) FROM json_each(?3) n
      LEFT JOIN log_sink s ON s.tenant = ?1 AND s.sink = n.value), size)
  ORDER BY minute DESC LIMIT 1`
const MOVE = 'UPDATE log SET expired = ?2, expired_minute = ?3 WHERE tenant = ?1 AND expired < ?2'
const AT = `SELECT expired AS leaves, expired_minute * 60 AS atSeconds, note FROM log
  JOIN log_checkpoint USING (tenant) WHERE tenant = ? AND expired > 0 AND minute = expired_minute`
const SOME = `DELETE FROM log_leaf WHERE seq IN (
  SELECT seq FROM log_leaf WHERE tenant = ?1 AND leaf < (SELECT expired FROM log WHERE tenant = ?1) LIMIT ?2)`

const IS_ANY = `SELECT 1 FROM log_leaf
  WHERE tenant = ?1 AND leaf < (SELECT expired FROM log WHERE tenant = ?1) LIMIT 1`

// What a sink never took is the same event. A letter about a checkpoint is of no leaf, and as old as its refusal.
const DEAD = `SELECT seq FROM sink_dead_letter WHERE tenant = ?1
  AND coalesce(leaf < (SELECT expired FROM log WHERE tenant = ?1), at < ?2)`
const IS_ANY_DEAD = `${DEAD} LIMIT 1`
const SOME_DEAD = `DELETE FROM sink_dead_letter WHERE seq IN (${DEAD} LIMIT ?3)`

type Row = { readonly size: number; readonly minute: number }

export const createLogRetention = (database: Database): LogRetention => ({
  expired: async (tenant) =>
    (database.read((sql) => sql(AT).get(tenant)) as Awaited<ReturnType<LogRetention['expired']>> | undefined) ?? null,
  async expire(tenant, beforeSeconds, sinks) {
    const before = Math.floor(beforeSeconds / 60)
    const row = database.read((sql) => sql(EXPIRED).get(tenant, before, JSON.stringify(sinks))) as Row | undefined
    if (row !== undefined) await database.write((sql) => sql(MOVE).run(tenant, row.size, row.minute))
    let dropped = 0
    // Asked first: most of the time there is nothing, and that must not cost a write.
    while (database.read((sql) => sql(IS_ANY).get(tenant)) !== undefined)
      dropped += await database.writeOver((sql) => Number(sql(SOME).run(tenant, LIMITS.sweepRowsMax).changes))
    let letters = 0
    while (database.read((sql) => sql(IS_ANY_DEAD).get(tenant, beforeSeconds)) !== undefined)
      letters += await database.writeOver((sql) =>
        Number(sql(SOME_DEAD).run(tenant, beforeSeconds, LIMITS.sweepRowsMax).changes),
      )
    if (dropped + letters > 0) await emptyWal(database)
    return dropped
  },
})
