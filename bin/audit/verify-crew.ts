// Threads that check the leaves of a log in a data directory, stretch by stretch: nine tenths of what it takes to verify one. Each
// has connections of its own and reads what it checks itself, so nothing but hashes goes between threads.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { createGrantRecords } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { agreesWithRecord } from '../../lib/flows/audit/agree-with-records.ts'
import type { CheckedLeaves, LeavesQuestion, Stretch } from '../../lib/flows/audit/check-leaves.ts'
import type { Crew } from '../../lib/flows/audit/verify-log.ts'
import type { GrantRecords } from '../../lib/ports/decisions.ts'
import type { LogLeaves, LogSource } from '../../lib/ports/tenant-log.ts'
import type { OpenedLog, ReadableLog } from './open-log.ts'

/** `isErased`: its events are gone with the tenant, only commitments are there. */
export type CrewLog = { readonly dataDir: string; readonly tenant: string; readonly isErased: boolean }

export type Task = Stretch & { readonly id: number; readonly expired: number }
/** Null: the store could not be read. */
export type Done = { readonly id: number; readonly checked: CheckedLeaves | null }

/** Below this a thread takes longer to start than it saves. */
const LEAVES_MIN = 20_000
const THREADS_MAX = 8
/** Stretches a thread is given ahead of what is asked for, so that it never waits. */
const AHEAD = 3

/** A log where it lives, beside the records it is of. */
export type AskedLog = Pick<ReadableLog, 'tenant' | 'log' | 'expired'> & {
  readonly log: Pick<LogLeaves, 'history'>
  readonly records: GrantRecords
}

export const askedIn = ({ database, log, retention, tenant }: OpenedLog): AskedLog => ({
  tenant,
  log,
  expired: () => retention.expired(tenant),
  records: createGrantRecords(database),
})

/** What is asked of it, on whichever thread. */
export const questionOf = ({ tenant, log, expired, records }: AskedLog, isErased: boolean) => ({
  tenant,
  source: {
    checkpoint: async () => (await log.checkpoint(tenant))?.note ?? null,
    tile: (name) => log.tile(tenant, name),
    leaves: async (fromIndex, limit) => (isErased ? null : log.leaves(tenant, fromIndex, limit)),
    expired: async () => (isErased ? null : expired()),
  } satisfies LogSource,
  againstRecords: agreesWithRecord(
    records,
    tenant,
    systemClock.nowSeconds(),
  ) satisfies LeavesQuestion['againstRecords'],
})

/** Null: a log of this size is verified sooner without. */
export const startCrew = (log: CrewLog, size: number): (Crew & AsyncDisposable) | null => {
  const count = Math.min(availableParallelism(), THREADS_MAX)
  if (size < LEAVES_MIN || count < 2) return null
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./verify-worker.ts', import.meta.url), { workerData: log })
    return { worker, asked: new Map<number, PromiseWithResolvers<CheckedLeaves>>() }
  })
  for (const { worker, asked } of workers) {
    const fail = (error: Error) => {
      for (const { reject } of asked.values()) reject(error)
      asked.clear()
    }
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error('a thread that verifies ended')))
    worker.on('message', ({ id, checked }: Done) => {
      const task = asked.get(id)
      asked.delete(id)
      if (checked === null) task?.reject(new Unavailable('store_unavailable'))
      else task?.resolve(checked)
    })
  }
  let id = 0
  return {
    atOnce: count * AHEAD,
    check({ start, width }, expired) {
      id += 1
      const { worker, asked } = workers.reduce((least, one) => (one.asked.size < least.asked.size ? one : least))
      const task = Promise.withResolvers<CheckedLeaves>()
      asked.set(id, task)
      worker.postMessage({ id, start, width, expired } satisfies Task)
      return task.promise
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map(({ worker }) => worker.terminate()))
    },
  }
}
