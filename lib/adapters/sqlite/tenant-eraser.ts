// Erasure of a removed tenant. Promises: only what belongs to a tombstoned tenant goes; what went is overwritten in the
// database file and gone from the WAL; each step is a short transaction, so a running broker is held up by none of them.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../domain/limits.ts'
import type { TenantEraser } from '../../ports/tenants.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'

const DUE = 'SELECT tenant FROM tenant_tombstone WHERE erased_at IS NULL AND at < ? ORDER BY at'
const REMOVED_AT = 'SELECT at FROM tenant_tombstone WHERE tenant = ?'
const DONE = 'UPDATE tenant_tombstone SET erased_at = coalesce(erased_at, ?2) WHERE tenant = ?1'

const KEYS = ['DELETE FROM signing_key WHERE tenant = ?', 'DELETE FROM feed_secret WHERE tenant = ?']
/** Events; orders that wait, that nobody could carry out, and that were; what came of them, and what was told of it. */
const REVOKING = [
  'security_event',
  'queue_message',
  'quarantined_message',
  'revocation_order',
  'revocation',
  'revocation_before',
  'receiver',
  'receiver_set',
  'control_change',
] as const
const SOME = (table: string): string =>
  `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE tenant = ?1 LIMIT ?2)`
// The latest version stays as a number without content: the tombstone hides it, and no new version can begin at 1.
const OLD_DOCUMENTS = `DELETE FROM tenant_config
  WHERE tenant = ?1 AND version < (SELECT max(version) FROM tenant_config WHERE tenant = ?1)`
const LAST_DOCUMENT =
  "UPDATE tenant_config SET digest = '', author = '', commit_id = '', document = '{}', diff = '' WHERE tenant = ?"

// Denials from after the removal hold nothing of the tenant: without its documents no evidence is verified.
const RECORDS = ['grant_record', 'not_issued', 'denial'] as const
const WINDOW = (table: string): string => `SELECT max(seq) AS last,
    json_group_array(seq) FILTER (WHERE tenant = ?1 AND at <= ?2) AS found
  FROM (SELECT seq, tenant, at FROM ${table} WHERE seq > ?3 ORDER BY seq LIMIT ?4)`
// The last row of a table waits until another follows, or its sequence would be given out a second time.
const ROWS = (table: string): string =>
  `DELETE FROM ${table} WHERE seq IN (SELECT value FROM json_each(?)) AND seq < (SELECT max(seq) FROM ${table})`
const STILL_THERE = (table: string): string =>
  `SELECT count(*) AS rows FROM ${table} WHERE seq IN (SELECT value FROM json_each(?))`

const CHECKPOINT_TRIES = 20
const CHECKPOINT_WAIT_MS = 50

export const createTenantEraser = (database: Database): TenantEraser => {
  const removedAt = (sql: Sql, tenant: string): number => {
    const row = sql(REMOVED_AT).get(tenant)
    if (row === undefined) throw new Error('only a removed tenant is erased')
    return Number(row['at'])
  }

  const eraseAll = async (table: (typeof REVOKING)[number], tenant: string): Promise<void> => {
    let deleted: number | bigint
    do {
      deleted = await database.writeOver((sql) => sql(SOME(table)).run(tenant, LIMITS.sweepRowsMax).changes)
    } while (deleted > 0)
  }

  /** In the order of commit, a window at a time: there is no index by tenant, and a scan would hold the loop up. */
  const eraseRecords = async (table: (typeof RECORDS)[number], tenant: string, until: number): Promise<boolean> => {
    let last = 0
    let left = 0
    for (;;) {
      const window = database.read((sql) => sql(WINDOW(table)).get(tenant, until, last, LIMITS.sweepRowsMax))
      if (window?.['last'] == null) return left === 0
      last = Number(window['last'])
      const found = String(window['found'])
      // Counted afterwards, not by what this process deleted: another may erase the same rows at the same time.
      if (found !== '[]')
        left += await database.writeOver((sql) => {
          sql(ROWS(table)).run(found)
          return Number(sql(STILL_THERE(table)).get(found)?.['rows'])
        })
      await nextTurn()
    }
  }

  const emptyWal = async (): Promise<boolean> => {
    for (let attempt = 0; attempt < CHECKPOINT_TRIES; attempt += 1) {
      if (database.emptyWal()) return true
      await sleep(CHECKPOINT_WAIT_MS)
    }
    return false
  }

  return {
    due: async (removedBeforeSeconds) =>
      database.read((sql) => sql(DUE).all(removedBeforeSeconds)).map((row) => String(row['tenant'])),
    async erase(tenant, nowSeconds) {
      const until = await database.writeOver((sql) => {
        const at = removedAt(sql, tenant)
        for (const statement of KEYS) sql(statement).run(tenant)
        return at
      })
      for (const table of REVOKING) await eraseAll(table, tenant)
      await database.writeOver((sql) => {
        sql(OLD_DOCUMENTS).run(tenant)
        sql(LAST_DOCUMENT).run(tenant)
      })
      let isComplete = true
      for (const table of RECORDS) isComplete = (await eraseRecords(table, tenant, until)) && isComplete
      if (!isComplete || !(await emptyWal())) return false
      await database.write((sql) => sql(DONE).run(tenant, nowSeconds))
      return true
    },
  }
}
