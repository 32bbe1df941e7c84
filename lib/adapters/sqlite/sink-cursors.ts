// Cursors of sinks, leased to one process at a time. A lease that reaches further than a lease can is of a clock that went back.
import { LIMITS } from '../../domain/limits.ts'
import type { SinkCursors, SinkPosition } from '../../ports/sinks.ts'
import type { Database } from './database.ts'

const LEASE = `INSERT INTO log_sink (tenant, sink, holder, leased_until) VALUES (?1, ?2, ?3, ?5)
  ON CONFLICT (tenant, sink) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until
  WHERE holder = excluded.holder OR leased_until <= ?4 OR leased_until > ?4 + ${LIMITS.sinkLeaseMs}
  RETURNING leaf, checkpoint`
const AT = 'SELECT leaf, checkpoint FROM log_sink WHERE tenant = ? AND sink = ?'
const ADVANCE = `UPDATE log_sink SET leaf = max(leaf, ?4), checkpoint = max(checkpoint, ?5), failures = 0, trouble = NULL,
    delivered_at = ?6
  WHERE tenant = ?1 AND sink = ?2 AND holder = ?3`
const NOTE = 'UPDATE log_sink SET failures = ?4, trouble = ?5 WHERE tenant = ?1 AND sink = ?2 AND holder = ?3'
const RELEASE = 'UPDATE log_sink SET leased_until = 0 WHERE holder = ?'
const BURY = 'INSERT INTO sink_dead_letter (tenant, sink, leaf, reason, at, event) VALUES (?, ?, ?, ?, ?, ?)'

export const createSinkCursors = (database: Database): SinkCursors => ({
  at: async ({ tenant, sink }) =>
    (database.read((sql) => sql(AT).get(tenant, sink)) as SinkPosition | undefined) ?? null,
  lease: ({ tenant, sink }, holder, nowMs, untilMs) =>
    database.write((sql) => {
      const row = sql(LEASE).get(tenant, sink, holder, nowMs, untilMs)
      return (row as SinkPosition | undefined) ?? null
    }),
  async advance({ tenant, sink }, holder, { leaf, checkpoint }, dead, atSeconds) {
    await database.write((sql) => {
      const { changes } = sql(ADVANCE).run(tenant, sink, holder, leaf, checkpoint, atSeconds)
      // Another process has the lease by now: it finds them itself.
      if (changes === 0) return
      for (const letter of dead) sql(BURY).run(tenant, sink, letter.leaf, letter.reason, atSeconds, letter.canonical)
    })
  },
  async note({ tenant, sink }, holder, failures, trouble) {
    await database.write((sql) => sql(NOTE).run(tenant, sink, holder, failures, trouble))
  },
  async release(holder) {
    await database.write((sql) => sql(RELEASE).run(holder))
  },
})
