// What an exception of node:sqlite means. The primary result code decides: https://www.sqlite.org/rescode.html

/**
 * busy: somebody holds the lock, try again. row: this statement's own data is at fault, its neighbours are not. broken: the
 * connection is of no more use, open anew. unusable: the store cannot do this now (full, out of memory). bug: ours.
 */
export type Failure = 'busy' | 'row' | 'broken' | 'unusable' | 'bug'

const MEANING: Readonly<Record<number, Failure>> = {
  3: 'broken', // PERM
  5: 'busy', // BUSY
  6: 'busy', // LOCKED
  7: 'unusable', // NOMEM
  8: 'broken', // READONLY, and READONLY_DBMOVED
  9: 'unusable', // INTERRUPT
  10: 'broken', // IOERR
  11: 'broken', // CORRUPT
  13: 'unusable', // FULL
  14: 'broken', // CANTOPEN
  15: 'broken', // PROTOCOL
  17: 'broken', // SCHEMA
  18: 'row', // TOOBIG
  19: 'row', // CONSTRAINT
  20: 'row', // MISMATCH
  25: 'row', // RANGE
  26: 'broken', // NOTADB
}

export const failureOf = (error: unknown): Failure => {
  if (!(error instanceof Error)) return 'bug'
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') return MEANING[errcode & 0xff] ?? 'bug'
  // A value that cannot be bound is refused before SQLite sees it.
  return code === 'ERR_INVALID_ARG_TYPE' || code === 'ERR_INVALID_ARG_VALUE' || code === 'ERR_OUT_OF_RANGE'
    ? 'row'
    : 'bug'
}
