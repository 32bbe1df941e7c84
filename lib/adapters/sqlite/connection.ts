// One connection of node:sqlite with the settings durability rests on, asserted and not assumed: WAL, synchronous=FULL.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { DataDirectoryRefused } from './data-directory.ts'
import { FORMAT, MIGRATIONS } from './schema.ts'

/**
 * One of the files of the data directory, and the steps its tables come from. `pageBytes`: of a file that is made; one that is there
 * keeps what it has.
 */
export type Schema = { readonly file: string; readonly migrations: readonly string[]; readonly pageBytes: number }

export const MAIN: Schema = { file: 'mintmark.db', migrations: MIGRATIONS, pageBytes: 4_096 }

// The event loop stands still while SQLite waits for a lock, so it hardly does; contention is waited out in database.ts.
const BUSY_MS = 1
const OPENING_BUSY_MS = 2_000
/**
 * What an exchange reads again and again stays in memory; who only appends, or follows, needs little. No more than that: whenever a
 * commit has split a page of an index, SQLite walks all slots of the cache. With 16 MiB that alone was a tenth of a record's CPU time,
 * and saved none with a million records either.
 */
const CACHE_KIB = 4 * 1024
export const SMALL_CACHE_KIB = 2 * 1024
// Checkpoints write each page once for many commits: at 64 MB they cost a third of the default's time per record.
const WAL_BYTES = 64_000 * 1024

/** Prepares once per connection. */
export type Sql = (text: string) => StatementSync

/** Rows as arrays, column by column: where thousands are read at once, an object with names takes as long as to find the row. */
export const rowsOf = <Row extends readonly unknown[]>(
  statement: StatementSync,
  ...values: readonly SQLInputValue[]
): Row[] => {
  statement.setReturnArrays(true)
  return statement.all(...values) as unknown as Row[]
}

export type Connection = { readonly sqlite: DatabaseSync; readonly sql: Sql }

/** Opens an existing file; never makes one, or a lost database would come back empty and forget every marker. */
export const connect = ({
  path,
  busyMs = BUSY_MS,
  cacheKib = CACHE_KIB,
  pageBytes,
}: {
  readonly path: string
  readonly busyMs?: number
  readonly cacheKib?: number | undefined
  readonly pageBytes?: number
}): Connection => {
  const location = pathToFileURL(path)
  location.searchParams.set('mode', 'rw')
  const sqlite = new DatabaseSync(location, { timeout: busyMs, enableForeignKeyConstraints: true })
  try {
    // Of a file that has no page yet; WAL gives it the first.
    if (pageBytes !== undefined) sqlite.exec(`PRAGMA page_size = ${pageBytes}`)
    sqlite.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${cacheKib};
      PRAGMA temp_store = MEMORY`)
    sqlite.exec(`PRAGMA wal_autocheckpoint = ${Math.floor(WAL_BYTES / pageSizeOf(sqlite))}`)
    leaveNoCopies(sqlite)
    const mode = sqlite.prepare('PRAGMA journal_mode').get()?.['journal_mode']
    const synchronous = sqlite.prepare('PRAGMA synchronous').get()?.['synchronous']
    if (mode !== 'wal' || synchronous !== 2) throw new DataDirectoryRefused('not_durable')
  } catch (error) {
    sqlite.close()
    throw error
  }
  const statements = new Map<string, StatementSync>()
  const sql = (text: string): StatementSync => {
    let statement = statements.get(text)
    if (statement === undefined) {
      statement = sqlite.prepare(text)
      statements.set(text, statement)
    }
    return statement
  }
  return { sqlite, sql }
}

const pageSizeOf = (sqlite: DatabaseSync): number => Number(sqlite.prepare('PRAGMA page_size').get()?.['page_size'])

/** What a change leaves behind in a page it writes anyway is zeroed, or copies of a sealed key would outlive its row. */
export const leaveNoCopies = (sqlite: DatabaseSync): void => sqlite.exec('PRAGMA secure_delete = FAST')

/** Freed pages too, each at the price of a write: for erasure. */
export const overwriteAll = (sqlite: DatabaseSync): void => sqlite.exec('PRAGMA secure_delete = ON')

/** Brings the schema up to date. `dev` is written into a store that is new. Returns the dev mark of the store. */
export const migrate = (path: string, dev: boolean, { migrations, pageBytes }: Schema): boolean => {
  const { sqlite } = connect({ path, busyMs: OPENING_BUSY_MS, pageBytes })
  try {
    sqlite.exec('BEGIN IMMEDIATE')
    const done = stepsTaken(sqlite)
    for (const step of migrations.slice(done)) sqlite.exec(step)
    if (done < migrations.length) sqlite.exec(`PRAGMA user_version = ${FORMAT * 1000 + migrations.length}`)
    if (done === 0) sqlite.prepare('INSERT INTO store (id, dev) VALUES (1, ?)').run(dev ? 1 : 0)
    const isMarked = sqlite.prepare('SELECT dev FROM store').get()?.['dev'] === 1
    sqlite.exec('COMMIT')
    return isMarked
  } finally {
    sqlite.close()
  }
}

/** Whether a database that is opened anew, while running, is one of ours and complete. */
export const isComplete = ({ sqlite }: Connection, { migrations }: Schema): boolean =>
  stepsTaken(sqlite) >= migrations.length

const stepsTaken = (sqlite: DatabaseSync): number => {
  const version = Number(sqlite.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version === 0) return 0
  if (Math.floor(version / 1000) !== FORMAT) throw new DataDirectoryRefused('unknown_format')
  return version % 1000
}
