// Tenants' logs in SQLite. The head is a row that moves only from the size its writer saw: whoever comes second writes nothing.
import { LIMITS } from '../../domain/limits.ts'
import { HASH_BYTES, type Hash } from '../../domain/tlog/merkle.ts'
import { bundleOf, edgeOf, entriesLength, TILE_WIDTH, type TileName } from '../../domain/tlog/tiles.ts'
import type {
  Growth,
  LogHead,
  LogLeaves,
  LogStore,
  PublishedLog,
  SignedCheckpoint,
  StoredLeaf,
} from '../../ports/tenant-log.ts'
import { rowsOf, type Sql } from './connection.ts'
import { type Database, undoneAlone } from './database.ts'
import { createGroupCommit } from './group-commit.ts'

const HEAD = 'SELECT origin, authority, size, last_uid, last_type, last_fingerprint FROM log WHERE tenant = ?'
const BEGIN = `INSERT INTO log (tenant, origin, authority, size, last_uid, last_type, last_fingerprint)
  VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant) DO NOTHING`
const MOVE = `UPDATE log SET size = ?, last_uid = ?, last_type = ?, last_fingerprint = ? WHERE tenant = ? AND size = ?`
const KNOWN = 'SELECT uid FROM log_leaf WHERE tenant = ? AND uid IN (SELECT value FROM json_each(?))'
const PUT_LEAF = 'INSERT INTO log_leaf (tenant, leaf, uid, at, salt, event) VALUES (?, ?, ?, ?, ?, ?)'
const PUT_TILE = `INSERT INTO log_tile (tenant, level, tile, bytes) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (tenant, level, tile) DO UPDATE SET bytes = excluded.bytes`
const TILE = 'SELECT bytes FROM log_tile WHERE tenant = ? AND level = ? AND tile = ?'
const CHECKPOINT =
  'SELECT checkpoint_size AS size, checkpoint AS note FROM log WHERE tenant = ? AND checkpoint IS NOT NULL'
const PUT_CHECKPOINT =
  'UPDATE log SET checkpoint_size = ?2, checkpoint = ?3 WHERE tenant = ?1 AND checkpoint_size < ?2 AND size >= ?2'
const KEEP_CHECKPOINT = `INSERT INTO log_checkpoint (tenant, minute, size, note) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (tenant, minute) DO UPDATE SET size = excluded.size, note = excluded.note WHERE excluded.size > size`
const UNCOVERED = 'SELECT tenant FROM log WHERE checkpoint_size < size'
const TENANTS = 'SELECT tenant FROM log'
const LEAVES = 'SELECT leaf, uid, salt, event FROM log_leaf WHERE tenant = ? AND leaf >= ? ORDER BY leaf LIMIT ?'
const LEAF_OF = 'SELECT leaf AS "index", salt, event AS canonical FROM log_leaf WHERE tenant = ? AND uid = ?'
const HISTORY = 'SELECT size, note FROM log_checkpoint WHERE tenant = ? ORDER BY size'

const ENTRIES = -1
const levelNumber = (level: TileName['level']): number => (level === 'entries' ? ENTRIES : level)

const ROOM = { leaves: Number.POSITIVE_INFINITY, bytes: LIMITS.logBytesPerCommit }

type HeadRow = {
  readonly origin: string
  readonly authority: string
  readonly size: number
  readonly last_uid: string
  readonly last_type: number
  readonly last_fingerprint: string
}

type LeafRow = readonly [index: number, uid: string, salt: Uint8Array, canonical: string]

const tileBytes = (sql: Sql, tenant: string, level: number, tile: number): Uint8Array =>
  (sql(TILE).get(tenant, level, tile)?.['bytes'] as Uint8Array | undefined) ?? new Uint8Array(0)

export const createTenantLog = (database: Database): LogStore & PublishedLog & LogLeaves => {
  const commits = createGroupCommit(database)
  return {
    room: ROOM,
    head: async (tenant) => database.read((sql) => readHead(sql, tenant)),
    known: async (tenant, uids) =>
      new Set(database.read((sql) => rowsOf<[string]>(sql(KNOWN), tenant, JSON.stringify(uids))).map(([uid]) => uid)),
    commit: (tenant, expectedSize, growth) =>
      commits.submit({
        run: (sql) => undoneAlone(sql, () => commit(sql, tenant, expectedSize, growth)),
        readBack: (sql) => {
          const row = sql(HEAD).get(tenant) as HeadRow | undefined
          return row?.last_fingerprint === growth.head.last.fingerprint ? { value: true } : null
        },
      }),
    async putCheckpoint(tenant, { size, note }, atSeconds) {
      await database.write((sql) => {
        if (sql(PUT_CHECKPOINT).run(tenant, size, note).changes === 1)
          sql(KEEP_CHECKPOINT).run(tenant, Math.floor(atSeconds / 60), size, note)
      })
    },
    uncovered: async () => database.read((sql) => sql(UNCOVERED).all()).map((row) => String(row['tenant'])),
    tenants: async () => database.read((sql) => sql(TENANTS).all()).map((row) => String(row['tenant'])),
    async about(tenant) {
      const row = database.read((sql) => sql(HEAD).get(tenant)) as HeadRow | undefined
      return row === undefined ? null : { origin: row.origin, size: row.size }
    },
    checkpoint: async (tenant) =>
      (database.read((sql) => sql(CHECKPOINT).get(tenant)) as SignedCheckpoint | undefined) ?? null,
    async tile(tenant, { level, index, width }) {
      const bytes = database.read((sql) => tileBytes(sql, tenant, levelNumber(level), index))
      const length = level === 'entries' ? entriesLength(bytes, width) : width * HASH_BYTES
      return length === null || bytes.length < length ? null : bytes.subarray(0, length)
    },
    leaves: async (tenant, fromIndex, limit) =>
      database
        .read((sql) => rowsOf<LeafRow>(sql(LEAVES), tenant, fromIndex, limit))
        .map(([index, uid, salt, canonical]) => ({ index, uid, salt, canonical })),
    leafOf: async (tenant, uid) =>
      (database.read((sql) => sql(LEAF_OF).get(tenant, uid)) as StoredLeaf | undefined) ?? null,
    history: async (tenant) => database.read((sql) => sql(HISTORY).all(tenant)) as SignedCheckpoint[],
  }
}

const readHead = (sql: Sql, tenant: string): LogHead | null => {
  const row = sql(HEAD).get(tenant) as HeadRow | undefined
  if (row === undefined) return null
  // Tiles may have grown since the row was read: the edge of its size is the beginning of them.
  const edge = edgeOf(row.size, ({ level, index }) => tileBytes(sql, tenant, levelNumber(level), index))
  const last = { uid: row.last_uid, typeUid: row.last_type, fingerprint: row.last_fingerprint }
  return { origin: row.origin, authority: row.authority, edge, last }
}

const commit = (sql: Sql, tenant: string, expectedSize: number, { head, leaves, tiles }: Growth): boolean => {
  const { uid, typeUid, fingerprint } = head.last
  const { size } = head.edge
  const { changes } =
    expectedSize === 0
      ? sql(BEGIN).run(tenant, head.origin, head.authority, size, uid, typeUid, fingerprint)
      : sql(MOVE).run(size, uid, typeUid, fingerprint, tenant, expectedSize)
  if (changes !== 1) return false
  leaves.forEach((leaf, at) => {
    sql(PUT_LEAF).run(tenant, expectedSize + at, leaf.uid, leaf.atSeconds, leaf.salt, leaf.canonical)
  })
  for (const { level, index, bytes } of tiles) sql(PUT_TILE).run(tenant, level, index, bytes)
  putEntries(
    sql,
    tenant,
    expectedSize,
    leaves.map(({ commitment }) => commitment),
  )
  return true
}

/** Entry bundles grow at their end, as tiles do. */
const putEntries = (sql: Sql, tenant: string, from: number, commitments: readonly Hash[]): void => {
  for (let at = 0; at < commitments.length; ) {
    const bundle = Math.floor((from + at) / TILE_WIDTH)
    const count = Math.min(commitments.length - at, (bundle + 1) * TILE_WIDTH - (from + at))
    const before = tileBytes(sql, tenant, ENTRIES, bundle)
    const bytes = Buffer.concat([before, bundleOf(commitments.slice(at, at + count))])
    sql(PUT_TILE).run(tenant, ENTRIES, bundle, bytes)
    at += count
  }
}
