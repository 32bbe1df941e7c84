// Which checkpoint each anchor has kept last, in audit.db.
import type { AnchorRecord, AnchorRecords } from '../../ports/anchors.ts'
import type { Database } from './database.ts'

const OF = 'SELECT anchor, size, note, at AS atSeconds FROM log_anchor WHERE tenant = ? ORDER BY anchor'
const PUT = `INSERT INTO log_anchor (tenant, anchor, size, note, at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (tenant, anchor) DO UPDATE SET size = excluded.size, note = excluded.note, at = excluded.at
  WHERE excluded.size > size`

export const createAnchorRecords = (database: Database): AnchorRecords => ({
  of: async (tenant) => database.read((sql) => sql(OF).all(tenant)) as AnchorRecord[],
  async put(tenant, { anchor, size, note, atSeconds }) {
    await database.write((sql) => sql(PUT).run(tenant, anchor, size, note, atSeconds))
  },
})
