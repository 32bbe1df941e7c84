// Threads that check the leaves of a log, stretch by stretch. Each reads what it checks by itself, so nothing but hashes, ids and places
// goes between threads.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Cut, Lines } from '../../lib/adapters/files/leaf-lines.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import type { CheckedLeaves, Stretch } from '../../lib/flows/audit/check-leaves.ts'
import type { FeedSpan } from '../../lib/ports/change-feed.ts'

/** `isErased`: its events are gone with the tenant, only commitments are there. */
export type DataLog = {
  readonly kind: 'data'
  readonly dataDir: string
  readonly tenant: string
  readonly isErased: boolean
}

export type ExportedLog = { readonly kind: 'export'; readonly directory: string; readonly tenant: string }

/** Where a thread finds the log that it is asked about. */
export type CrewLog = DataLog | ExportedLog

/** What a thread is asked, by the kind of question. */
export type Questions = {
  /** `lines`: where the leaves are in a file, and the one before them. */
  readonly leaves: {
    readonly stretch: Stretch
    readonly expired: number
    readonly lines?: { readonly here: Lines; readonly before: Cut['last'] }
  }
}
/** `logged`: where the records lie that were found to have their leaf. */
export type Answers = { readonly leaves: CheckedLeaves & { readonly logged?: readonly FeedSpan[] } }
export type Answerer = {
  readonly [kind in keyof Questions]: (question: Questions[kind]) => Promise<Answers[kind]>
}
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

/** As many as there are cores. Null: a log of this size is verified sooner without. */
export const startThreads = (log: CrewLog, size: number) => {
  const count = Math.min(availableParallelism(), THREADS_MAX)
  if (size < LEAVES_MIN || count < 2) return null
  const threads = Array.from({ length: count }, () => startThread(log))
  return {
    atOnce: count * AHEAD,
    check: (question: Questions['leaves']) =>
      threads.reduce((least, one) => (one.waiting() < least.waiting() ? one : least)).ask('leaves', question),
    stop: () => Promise.all(threads.map(({ stop }) => stop())),
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
