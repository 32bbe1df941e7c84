// Threads that check the leaves of a log in a data directory, stretch by stretch, and look for records without one: all it takes to
// verify a log but for putting roots together. Each has connections of its own, so nothing but hashes and ids goes between threads.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import { createGrantRecords } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { agreesWithRecord } from '../../lib/flows/audit/agree-with-records.ts'
import {
  type CheckedLeaves,
  checkLeaves,
  type LeavesQuestion,
  linkBefore,
  type Stretch,
} from '../../lib/flows/audit/check-leaves.ts'
import { recordsWithoutLeaf } from '../../lib/flows/audit/reconcile-log.ts'
import type { Crew } from '../../lib/flows/audit/verify-log.ts'
import type { GrantRecords } from '../../lib/ports/decisions.ts'
import type { LogLeaves, LogSource } from '../../lib/ports/tenant-log.ts'
import { type OpenedLog, type ReadableLog, VERIFY_PORTS } from './open-log.ts'

/** `isErased`: its events are gone with the tenant, only commitments are there. */
export type CrewLog = { readonly dataDir: string; readonly tenant: string; readonly isErased: boolean }

/** What a thread is asked, by the kind of question. */
export type Questions = { readonly leaves: Stretch & { readonly expired: number }; readonly records: null }
export type Answers = { readonly leaves: CheckedLeaves; readonly records: readonly { readonly id: string }[] }
export type Task = {
  [kind in keyof Questions]: { readonly id: number; readonly kind: kind; readonly question: Questions[kind] }
}[keyof Questions]
/** Null: the store could not be read. */
export type Done = { readonly id: number; readonly answer: Answers[keyof Answers] | null }

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

/** As much of it as threads can be asked for. */
export const answererOf = (opened: OpenedLog, { isErased }: CrewLog) => {
  const { hashes } = VERIFY_PORTS
  const question = questionOf(askedIn(opened), isErased)
  return {
    async leaves({ expired, ...stretch }: Questions['leaves']): Promise<CheckedLeaves> {
      const asked = { ...question, expired }
      return checkLeaves(hashes, asked, stretch, await linkBefore(hashes, asked, stretch.start))
    },
    records: async () => (await unloggedIn(opened)).map(({ id }) => ({ id })),
  }
}

export const unloggedIn = ({ database, log, retention, tenant }: OpenedLog) =>
  recordsWithoutLeaf({ feed: createChangeFeed(database), store: log, retention }, tenant)

export type VerifyCrew = Crew & AsyncDisposable & { readonly unlogged: () => Promise<Answers['records']> }

/** Null: a log of this size is verified sooner without. */
export const startCrew = (log: CrewLog, size: number): VerifyCrew | null => {
  const count = Math.min(availableParallelism(), THREADS_MAX)
  if (size < LEAVES_MIN || count < 2) return null
  const checkers = Array.from({ length: count }, () => startThread(log))
  // One of its own: to look for all records takes long, and stretches are waited for in their order.
  const other = startThread(log)
  return {
    atOnce: count * AHEAD,
    check: (stretch, expired) =>
      checkers
        .reduce((least, one) => (one.waiting() < least.waiting() ? one : least))
        .ask('leaves', { ...stretch, expired }),
    unlogged: () => other.ask('records', null),
    async [Symbol.asyncDispose]() {
      await Promise.all([...checkers, other].map(({ stop }) => stop()))
    },
  }
}

const startThread = (log: CrewLog) => {
  const worker = new Worker(new URL('./verify-worker.ts', import.meta.url), { workerData: log })
  const asked = new Map<number, PromiseWithResolvers<unknown>>()
  const fail = (error: Error) => {
    for (const { reject } of asked.values()) reject(error)
    asked.clear()
  }
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('a thread that verifies ended')))
  worker.on('message', ({ id, answer }: Done) => {
    const task = asked.get(id)
    asked.delete(id)
    if (answer === null) task?.reject(new Unavailable('store_unavailable'))
    else task?.resolve(answer)
  })
  let id = 0
  return {
    waiting: () => asked.size,
    ask<Kind extends keyof Questions>(kind: Kind, question: Questions[Kind]): Promise<Answers[Kind]> {
      id += 1
      const task = Promise.withResolvers<Answers[Kind]>()
      asked.set(id, task as PromiseWithResolvers<unknown>)
      worker.postMessage({ id, kind, question } as Task)
      return task.promise
    },
    stop: () => worker.terminate(),
  }
}
