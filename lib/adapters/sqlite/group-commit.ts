// One fsync for many requests: what is submitted in one turn of the event loop is written in one transaction. Promises:
// each job resolves only after the commit, in the order of submission; a job whose own data is at fault fails alone.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Sql } from './connection.ts'
import { failureOf } from './sqlite-error.ts'

export type Job<T> = {
  /**
   * Runs inside the transaction, at most once. A row failure in its last statement leaves nothing of it behind. `opened`: what
   * the group's own `open` gave.
   */
  readonly run: (sql: Sql, opened: number) => T
  /** After a commit whose outcome is not known: what the database says now; null where it shows no trace of the job. */
  readonly readBack: (sql: Sql) => { readonly value: T } | null
}

export interface GroupCommit {
  submit<T>(job: Job<T>): Promise<T>
}

type Waiting = Job<unknown> & {
  readonly deadlineMs: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

type GroupOptions = {
  /** Begins each transaction. */
  readonly open?: (sql: Sql) => number
  /** Jobs a transaction. */
  readonly max?: number
}

/** Of a database, what it takes to commit. */
type Store = {
  read<T>(work: (sql: Sql) => T): T
  write<T>(work: (sql: Sql) => T, deadlineMs: number): Promise<T>
  deadlineMs(): number
}

export const createGroupCommit = (
  database: Store,
  { open = () => 0, max = LIMITS.groupCommitMax }: GroupOptions = {},
): GroupCommit => {
  const queue: Waiting[] = []
  let isDraining = false

  /** Lets the group grow while each turn of the loop still brings more: a lone request waits one turn, a crowd shares a sync. */
  const gather = async (): Promise<void> => {
    let seen: number
    do {
      seen = queue.length
      await nextTurn()
    } while (queue.length > seen && queue.length < max)
  }

  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      await gather()
      await commitGroup(database, open, queue.splice(0, max))
      await nextTurn() // their answers go out before the next group blocks the loop
    }
    isDraining = false
  }

  return {
    submit<T>(job: Job<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        queue.push({ ...job, deadlineMs: database.deadlineMs(), resolve: resolve as (value: unknown) => void, reject })
        if (isDraining) return
        isDraining = true
        void drain()
      })
    },
  }
}

type Done = { readonly value: unknown } | { readonly error: unknown }

const commitGroup = async (database: Store, open: (sql: Sql) => number, group: readonly Waiting[]): Promise<void> => {
  let done: readonly Done[]
  try {
    done = await database.write((sql) => {
      const opened = open(sql)
      return group.map(({ run }) => runAlone(sql, opened, run))
    }, group[0]!.deadlineMs)
  } catch (error) {
    for (const job of group) settleUnknown(database, job, error)
    return
  }
  group.forEach((job, at) => {
    const result = done[at]!
    if ('value' in result) job.resolve(result.value)
    else job.reject(result.error)
  })
}

const runAlone = (sql: Sql, opened: number, run: Waiting['run']): Done => {
  try {
    return { value: run(sql, opened) }
  } catch (error) {
    // A full disk or a broken file is everybody's failure; a statement that failed on its own row undid itself.
    const failure = failureOf(error)
    if (failure !== 'row' && failure !== 'bug') throw error
    return { error }
  }
}

/** The commit threw: it may have happened all the same. Only the database can tell, and if it cannot, nobody can (L6). */
const settleUnknown = (database: Store, job: Waiting, error: unknown): void => {
  let found: { readonly value: unknown } | null = null
  try {
    if (error instanceof Unavailable) found = database.read(job.readBack)
  } catch {
    // It cannot tell.
  }
  if (found === null) job.reject(error)
  else job.resolve(found.value)
}
