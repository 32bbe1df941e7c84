// Grant records of a tenant from the newest back. Rows lie in commit order, so the walk reads neighbouring pages and ends at
// the first page that is too old, whoever its rows belong to.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { RecentRecords } from '../../ports/decisions.ts'
import type { Database } from './database.ts'
import { type BodyRow, readGrantRecord } from './stored-rows.ts'

const ROWS = 500
const PAGE = `SELECT seq, at, tenant, CASE WHEN tenant = ?2 THEN body END AS body,
    EXISTS (SELECT 1 FROM not_issued n WHERE n.decision = g.decision) AS outcome
  FROM grant_record g WHERE seq < ?1 ORDER BY seq DESC LIMIT ${ROWS}`

type Row = BodyRow & { readonly seq: number; readonly at: number; readonly outcome: number }

export const createRecentRecords = (database: Database): RecentRecords => ({
  async *since(tenant, sinceSeconds) {
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const rows = database.read((sql) => sql(PAGE).all(before, tenant)) as Row[]
      for (const row of rows)
        if (row.tenant === tenant && row.at >= sinceSeconds)
          yield { record: readGrantRecord(row), notIssued: row.outcome === 1 }
      const last = rows.at(-1)
      if (last === undefined || rows.length < ROWS || last.at < sinceSeconds) return
      before = last.seq
      await nextTurn()
    }
  },
})
