// The change feed over rowids: writers take turns (BEGIN IMMEDIATE), so a rowid is taken in the order of commit.
import type { AuditEntry, FeedItem } from '../../domain/audit-entry.ts'
import type { ControlChange } from '../../domain/control-change.ts'
import type { AppliedOrder } from '../../domain/revocation-order.ts'
import type { ChangeFeed, ChangeTopic, GrantNames, KeyOrders, LookUps } from '../../ports/change-feed.ts'
import { rowsOf } from './connection.ts'
import type { Database } from './database.ts'
import { readDenial, readGrantEntry, readNotIssued, uuidOf } from './stored-rows.ts'

const TABLE: { readonly [topic in ChangeTopic]: string } = {
  grant: 'grant_record',
  not_issued: 'not_issued',
  denial: 'denial',
  change: 'control_change',
}

const READ = (topic: ChangeTopic): string =>
  `SELECT seq, tenant, at, body, ${topic === 'change' ? 'what' : "'' AS what"} FROM ${TABLE[topic]}
    WHERE seq > ? ORDER BY seq LIMIT ?`
const NAMES = `SELECT seq, tenant, lower(hex(decision)), at FROM grant_record
  WHERE seq > ? ORDER BY seq LIMIT ?`
const ACKNOWLEDGE = `INSERT INTO feed_reader (reader, topic, acknowledged) VALUES (?, ?, ?)
  ON CONFLICT (reader, topic) DO UPDATE SET acknowledged = max(acknowledged, excluded.acknowledged)`

// Named by what was told before: a count that grows afterwards is told as another part, under another id.
const TELL_COUNTS = `INSERT INTO control_change (tenant, what, at, body)
  SELECT tenant, 'roll_up', minute * 60 + 59, json_object(
    'id', 'roll-up.' || minute || '.' || kind || '.' || source || '.' || told,
    'minute', minute, 'kind', kind, 'source', source, 'count', count - told)
  FROM denial_roll_up WHERE count > told AND minute < ?1 AND tenant <> '' ORDER BY minute, id LIMIT ?2`
const TOLD = `UPDATE denial_roll_up SET told = count WHERE id IN (
  SELECT id FROM denial_roll_up WHERE count > told AND minute < ?1 AND tenant <> '' ORDER BY minute, id LIMIT ?2)`
/** Paths that name no tenant of ours have no log. */
const TOLD_NOBODY = "UPDATE denial_roll_up SET told = count WHERE count > told AND minute < ?1 AND tenant = ''"
const COUNTS_MAX = 256

const TELL = 'INSERT INTO control_change (tenant, what, at, body) VALUES (?, ?, ?, ?)'

type Row = {
  readonly seq: number
  readonly tenant: string
  readonly at: number
  readonly body: string
  readonly what: string
}

type NameRow = readonly [sequence: number, tenant: string, id: string, atSeconds: number]

export const createChangeFeed = (database: Database): ChangeFeed & GrantNames => ({
  async read(topic, afterSequence, limit) {
    const rows = database.read((sql) => sql(READ(topic)).all(afterSequence, limit)) as Row[]
    return rows.map((row) => ({ sequence: row.seq, item: itemOf(topic, row), length: row.body.length }))
  },
  names: async (afterSequence, limit) =>
    database
      .read((sql) => rowsOf<NameRow>(sql(NAMES), afterSequence, limit))
      .map(([sequence, tenant, id, atSeconds]) => ({ sequence, tenant, id: uuidOf(id), atSeconds })),
  async acknowledge(reader, topic, sequence) {
    await database.write((sql) => sql(ACKNOWLEDGE).run(reader, topic, sequence))
  },
  async acknowledged(reader, topic) {
    const row = database.read((sql) =>
      sql('SELECT acknowledged FROM feed_reader WHERE reader = ? AND topic = ?').get(reader, topic),
    )
    return row === undefined ? null : Number(row['acknowledged'])
  },
  async tellCounts(beforeMinute) {
    const isAny = database.read((sql) =>
      sql('SELECT 1 FROM denial_roll_up WHERE count > told AND minute < ? LIMIT 1').get(beforeMinute),
    )
    if (isAny === undefined) return false
    return database.write((sql) => {
      const { changes } = sql(TELL_COUNTS).run(beforeMinute, COUNTS_MAX)
      sql(TOLD).run(beforeMinute, COUNTS_MAX)
      sql(TOLD_NOBODY).run(beforeMinute)
      return Number(changes) === COUNTS_MAX
    })
  },
})

export const createLookUps = (database: Database): LookUps => ({
  async tell({ tenant, decisionId, by, atSeconds }) {
    await database.write((sql) => sql(TELL).run(tenant, 'look_up', atSeconds, JSON.stringify({ decisionId, by })))
  },
})

export const createKeyOrders = (database: Database): KeyOrders => ({
  async tell({ tenant, atSeconds, ...order }) {
    await database.write((sql) => sql(TELL).run(tenant, 'key_order', atSeconds, JSON.stringify(order)))
  },
})

const itemOf = (topic: ChangeTopic, row: Row): FeedItem => {
  if (row.tenant === '') return { kind: 'other' }
  try {
    return { kind: 'entry', entry: entryOf(topic, row) }
  } catch {
    return {
      kind: 'unreadable',
      reason: 'not_a_row_of_ours',
      body: JSON.stringify({ table: TABLE[topic], seq: row.seq }),
      eventId: `${topic} ${row.seq}`,
    }
  }
}

const entryOf = (topic: ChangeTopic, row: Row): AuditEntry => {
  switch (topic) {
    case 'grant':
      return readGrantEntry(row)
    case 'not_issued':
      return { kind: 'not_issued', outcome: readNotIssued(row) }
    case 'denial':
      return { kind: 'denial', denial: readDenial(row) }
    case 'change':
      return changeOf(row)
  }
}

const changeOf = ({ seq, tenant, at: atSeconds, what, body }: Row): AuditEntry => {
  const told = JSON.parse(body) as Record<string, unknown>
  const change = (id: string): AuditEntry => ({
    kind: 'change',
    change: { ...told, id, what, tenant, atSeconds } as unknown as ControlChange,
  })
  switch (what) {
    case 'revocation':
      return { kind: 'revocation', applied: told as unknown as AppliedOrder }
    case 'roll_up':
      return {
        kind: 'roll_up',
        rollUp: { ...(told as RollUpBody), tenant, listed: [], unlisted: Number(told['count']) },
      }
    case 'key':
      return change(`key.${String(told['kid'])}.${String(told['state'])}`)
    case 'config':
      return change(`config.${String(told['version'])}`)
    case 'removal':
      return change('removal')
    case 'unblock':
      return change(`unblock.${String(told['revocation'])}`)
    case 'receiver':
      return change(
        `receiver.${String(told['receiver'])}.${String(told['jti'])}.${told['problem'] === null ? 'has' : 'has-not'}`,
      )
    case 'recovery':
      return change(`recovery.${String(told['number'])}.${atSeconds}`)
    case 'key_order':
      return change(`key-order.${atSeconds}.${seq}`)
    case 'look_up':
      return change(`look-up.${atSeconds}.${seq}`)
    default:
      throw new Error('a change this program does not know')
  }
}

type RollUpBody = {
  readonly id: string
  readonly minute: number
  readonly kind: string
  readonly source: string
  readonly count: number
}
