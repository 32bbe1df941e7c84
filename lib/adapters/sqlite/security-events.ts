// Security events that were received, one row each. The first of an id stands, but one that could not be carried out makes
// room for the same event later.
import type { RecordedEvent } from '../../domain/recorded-event.ts'
import type { SecurityEvents } from '../../ports/security-events.ts'
import type { Database } from './database.ts'

const FIND = 'SELECT body FROM security_event WHERE tenant = ? AND id = ?'
const PUT = `INSERT INTO security_event (tenant, id, at, outcome, body) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (tenant, id) DO UPDATE SET outcome = excluded.outcome, body = excluded.body WHERE outcome = 'unselectable'`
const LIST = 'SELECT body FROM security_event WHERE tenant = ? ORDER BY seq DESC LIMIT ?'

const eventOf = (row: unknown): RecordedEvent => JSON.parse((row as { readonly body: string }).body) as RecordedEvent

export const createSecurityEvents = (database: Database): SecurityEvents => ({
  async find(tenant, id) {
    const row = database.read((sql) => sql(FIND).get(tenant, id))
    return row === undefined ? null : eventOf(row)
  },
  async put(event) {
    const { tenant, id, atSeconds, outcome } = event
    await database.write((sql) => sql(PUT).run(tenant, id, atSeconds, outcome, JSON.stringify(event)))
  },
  list: async (tenant, limit) => database.read((sql) => sql(LIST).all(tenant, limit)).map(eventOf),
})
