// The change feed over rowids: writers take turns (BEGIN IMMEDIATE), so a rowid is taken in the order of commit.
import type { Change, ChangeFeed, ChangeTopic } from '../../ports/change-feed.ts'
import type { Database } from './database.ts'
import { type BodyRow, readDenial, readGrantRecord, readNotIssued } from './stored-rows.ts'

const TABLE: { readonly [topic in ChangeTopic]: string } = {
  grant: 'grant_record',
  not_issued: 'not_issued',
  denial: 'denial',
}

const ACKNOWLEDGE = `INSERT INTO feed_reader (reader, topic, acknowledged) VALUES (?, ?, ?)
  ON CONFLICT (reader, topic) DO UPDATE SET acknowledged = max(acknowledged, excluded.acknowledged)`

export const createChangeFeed = (database: Database): ChangeFeed => ({
  async read(topic, afterSequence, limit) {
    const text = `SELECT seq, tenant, body FROM ${TABLE[topic]} WHERE seq > ? ORDER BY seq LIMIT ?`
    const rows = database.read((sql) => sql(text).all(afterSequence, limit)) as (BodyRow & { readonly seq: number })[]
    return rows.map((row) => changeOf(topic, row.seq, row))
  },
  async acknowledge(reader, topic, sequence) {
    await database.write((sql) => sql(ACKNOWLEDGE).run(reader, topic, sequence))
  },
  async acknowledged(reader, topic) {
    const row = database.read((sql) =>
      sql('SELECT acknowledged FROM feed_reader WHERE reader = ? AND topic = ?').get(reader, topic),
    )
    return row === undefined ? null : Number(row['acknowledged'])
  },
})

const changeOf = (topic: ChangeTopic, sequence: number, row: BodyRow): Change => {
  switch (topic) {
    case 'grant':
      return { topic, sequence, record: readGrantRecord(row) }
    case 'not_issued':
      return { topic, sequence, outcome: readNotIssued(row) }
    case 'denial':
      return { topic, sequence, denial: readDenial(row) }
  }
}
