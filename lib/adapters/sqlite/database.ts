// The embedded store: one file, one connection a process, any number of processes. Promises: what write() resolved is on
// the disk; whatever the disk does, callers get Unavailable and no wrong answer; it comes back by itself.
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import {
  type Connection,
  connect,
  isComplete,
  leaveNoCopies,
  MAIN,
  migrate,
  overwriteAll,
  type Schema,
  type Sql,
} from './connection.ts'
import { checkDevMark, databasePath, ensureDatabaseFile, fileIdentity } from './data-directory.ts'
import { createGroupCommit } from './group-commit.ts'
import { failureOf } from './sqlite-error.ts'

/** How long a broken connection is left alone before it is opened anew. */
const REOPEN_MS = 100
const RETRY_MS_MAX = 8
const FILE_CHECK_MS = 5
const OPEN_ATTEMPTS = 40
const OPEN_RETRY_MS = 50

export type DatabaseOptions = {
  readonly dataDir: string
  /** serve --dev: true; serve: false; any other command, which opens both kinds of directory: null. */
  readonly dev: boolean | null
  /** How long a write waits for other processes before it is Unavailable. */
  readonly waitMs?: number
  /** Default: the main one. */
  readonly schema?: Schema
  readonly cacheKib?: number
}

/** What revocations, configuration and keys were when it was asked for. The same object as long as none of them moved. */
export type ControlState = { readonly generation: number; readonly version: number }

/** Throws DataDirectoryRefused, or what SQLite says of a file that is no database. */
export const openDatabase = ({
  dataDir,
  dev,
  waitMs = LIMITS.storeWaitMs,
  schema = MAIN,
  cacheKib,
}: DatabaseOptions): Database => {
  ensureDatabaseFile(dataDir, schema.file)
  const path = databasePath(dataDir, schema.file)
  for (let attempt = 1; ; attempt += 1) {
    try {
      checkDevMark(migrate(path, dev === true, schema), dev)
      return new Database(path, waitMs, schema, cacheKib)
    } catch (error) {
      // Processes that start together on a new directory: switching to WAL is refused at once while another looks.
      if (failureOf(error) !== 'busy' || attempt === OPEN_ATTEMPTS) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_RETRY_MS)
    }
  }
}

const NEXT_CONTROL_VERSION = 'UPDATE store SET control_version = control_version + 1 RETURNING control_version'

/** Runs `work` so that its neighbours in the transaction stay when it throws. */
export const undoneAlone = <T>(sql: Sql, work: () => T): T => {
  sql('SAVEPOINT alone').run()
  try {
    return work()
  } catch (error) {
    sql('ROLLBACK TO alone').run()
    throw error
  } finally {
    sql('RELEASE alone').run()
  }
}

export class Database {
  readonly #path: string
  readonly #waitMs: number
  readonly #schema: Schema
  readonly #cacheKib: number | undefined
  #connection: Connection | null
  #file: string | null
  #generation = 1
  #notBeforeMs = 0
  #dataVersion: unknown = null
  #control: ControlState | null = null
  #controlThisTurn: ControlState | null = null
  #isClosed = false
  #seenAtMs = Number.NEGATIVE_INFINITY

  readonly #controlWrites = createGroupCommit(this, {
    open: (sql) => {
      // data_version does not move for commits of one's own connection.
      this.#control = null
      return Number(sql(NEXT_CONTROL_VERSION).get()?.['control_version'])
    },
    max: LIMITS.orderCommitMax,
  })

  constructor(path: string, waitMs: number, schema: Schema, cacheKib?: number) {
    this.#path = path
    this.#waitMs = waitMs
    this.#schema = schema
    this.#cacheKib = cacheKib
    this.#file = fileIdentity(path)
    this.#connection = connect({ path, cacheKib })
  }

  /** Synchronous reads, each statement by itself; sees every commit that ended before. Throws Unavailable. */
  read<T>(work: (sql: Sql) => T): T {
    const { sql } = this.#current()
    try {
      return work(sql)
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /**
   * One immediate transaction, durable when it resolves. `work` runs at most once; what it throws undoes it and is passed on.
   * Throws Unavailable when the lock cannot be had by `deadlineMs` of performance.now(), or when the outcome is not known.
   */
  async write<T>(work: (sql: Sql) => T, deadlineMs: number = this.deadlineMs()): Promise<T> {
    for (;;) {
      const connection = this.#current()
      if (this.#begin(connection)) return this.#finish(connection, work)
      if (performance.now() >= deadlineMs) throw new Unavailable('store_unavailable')
      await sleep(1 + Math.random() * RETRY_MS_MAX)
    }
  }

  /**
   * A write to revocations, configuration or keys: moves the control version, here and in every other process. Those of one
   * turn share a transaction and a version (thousands of tenants get their first keys at once); what one throws undoes only it.
   */
  writeControl<T>(work: (sql: Sql, version: number) => T): Promise<T> {
    return this.#controlWrites.submit({
      run: (sql, version) => undoneAlone(sql, () => work(sql, version)),
      readBack: () => null,
    })
  }

  /** writeControl whose deletions overwrite what they delete, instead of leaving it in free pages until they are used again. */
  writeOver<T>(work: (sql: Sql) => T): Promise<T> {
    return this.writeControl((sql) => {
      const connection = this.#connection
      if (connection === null) throw new Error('a transaction runs on no connection')
      overwriteAll(connection.sqlite)
      try {
        return work(sql)
      } finally {
        leaveNoCopies(connection.sqlite)
      }
    })
  }

  /**
   * Moves every commit into the database file and empties the WAL, which keeps old pages until it is used again. False while
   * somebody reads or writes. Throws Unavailable.
   */
  emptyWal(): boolean {
    return this.read((sql) => sql('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0)
  }

  /**
   * Strong: asks the database whether anybody committed since. Its answer is the same object while nothing of it moved, so
   * a cache compares by identity. Throws Unavailable.
   */
  control(): ControlState {
    return this.read((sql) => {
      // Read before the version: a commit between the two is seen again by the next call, never missed.
      const dataVersion = sql('PRAGMA data_version').get()?.['data_version']
      const known = this.#control
      if (known !== null && dataVersion === this.#dataVersion) return known
      const version = Number(sql('SELECT control_version FROM store').get()?.['control_version'])
      this.#dataVersion = dataVersion
      const current = known?.version === version ? known : { generation: this.#generation, version }
      this.#control = current
      return current
    })
  }

  /**
   * What control() said in this turn of the event loop: one question for the many requests of a turn. Nothing that must see
   * every commit (the read after the record) may ask it.
   */
  controlThisTurn(): ControlState {
    if (this.#controlThisTurn === null) {
      this.#controlThisTurn = this.control()
      setImmediate(() => {
        this.#controlThisTurn = null
      })
    }
    return this.#controlThisTurn
  }

  /** Until when a request that starts now waits. */
  deadlineMs(): number {
    return performance.now() + this.#waitMs
  }

  close(): void {
    this.#isClosed = true
    this.#drop()
  }

  #current(): Connection {
    // A file that was moved or deleted goes on working for those who have it open: what is written there is lost. Asked at
    // most once in a few milliseconds, since every commit asks again before it is believed (#finish).
    const nowMs = performance.now()
    if (this.#connection !== null && nowMs - this.#seenAtMs >= FILE_CHECK_MS) {
      if (fileIdentity(this.#path) === this.#file) this.#seenAtMs = nowMs
      else this.#drop()
    }
    return this.#connection ?? this.#reopen()
  }

  #reopen(): Connection {
    if (this.#isClosed || performance.now() < this.#notBeforeMs) throw new Unavailable('store_unavailable')
    this.#notBeforeMs = performance.now() + REOPEN_MS
    let connection: Connection | null = null
    try {
      const file = fileIdentity(this.#path)
      connection = connect({ path: this.#path, cacheKib: this.#cacheKib })
      if (!isComplete(connection, this.#schema) || file !== fileIdentity(this.#path))
        throw new Error('the database is not complete')
      this.#file = file
      this.#generation += 1
      this.#connection = connection
      return connection
    } catch (error) {
      connection?.sqlite.close()
      throw new Unavailable('store_unavailable', undefined, { cause: error })
    }
  }

  #begin({ sql }: Connection): boolean {
    try {
      sql('BEGIN IMMEDIATE').run()
      return true
    } catch (error) {
      if (failureOf(error) === 'busy') return false
      throw this.#failed(error)
    }
  }

  #finish<T>({ sqlite, sql }: Connection, work: (sql: Sql) => T): T {
    let result: T
    try {
      result = work(sql)
      sql('COMMIT').run()
    } catch (error) {
      const failure = this.#failed(error)
      // INVARIANT: no transaction stays open, or the next group would be committed with the remains of this one.
      if (sqlite.isOpen && sqlite.isTransaction) {
        try {
          sqlite.exec('ROLLBACK')
        } catch {
          this.#drop()
        }
      }
      throw failure
    }
    if (fileIdentity(this.#path) === this.#file) return result
    this.#drop()
    throw new Unavailable('store_unavailable')
  }

  #failed(error: unknown): unknown {
    const failure = failureOf(error)
    if (failure === 'bug' || failure === 'row') return error
    if (failure === 'broken') this.#drop()
    return new Unavailable('store_unavailable', undefined, { cause: error })
  }

  #drop(): void {
    const connection = this.#connection
    this.#seenAtMs = Number.NEGATIVE_INFINITY
    this.#connection = null
    this.#control = null
    try {
      connection?.sqlite.close()
    } catch {
      // Closing what is broken may fail; nothing of it is used again.
    }
  }
}
