// What a thread of verify-threads.ts does for a log in a data directory, over connections of its own, and such threads for a verifier:
// stretches of leaves are checked, and records without one looked for, which is all but for putting roots together.
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import { createGrantRecords } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { agreesWithRecord } from '../../lib/flows/audit/agree-with-records.ts'
import { agreesWithSource, bothAgree } from '../../lib/flows/audit/agree-with-sources.ts'
import { checkLeaves, type LeavesQuestion, linkBefore } from '../../lib/flows/audit/check-leaves.ts'
import { recordsWithoutLeaf } from '../../lib/flows/audit/reconcile-log.ts'
import type { Crew } from '../../lib/flows/audit/verify-log.ts'
import type { EventSources } from '../../lib/ports/control-records.ts'
import type { GrantRecords } from '../../lib/ports/decisions.ts'
import type { LogLeaves, LogSource } from '../../lib/ports/tenant-log.ts'
import { type OpenedLog, openLog, type ReadableLog, VERIFY_PORTS } from './open-log.ts'
import { type Answerer, type Answers, type DataLog, startThread, startThreads } from './verify-threads.ts'

/** A log where it lives, beside the records it is of. */
export type AskedLog = Pick<ReadableLog, 'tenant' | 'log' | 'expired'> & {
  readonly log: Pick<LogLeaves, 'history'>
  readonly records: GrantRecords
  /** Of other events than grants, where their rows stay. */
  readonly sources?: EventSources
}

export const askedIn = ({ database, log, retention, tenant }: OpenedLog): AskedLog => ({
  tenant,
  log,
  expired: () => retention.expired(tenant),
  records: createGrantRecords(database),
})

/** What is asked of it, on whichever thread. */
export const questionOf = ({ tenant, log, expired, ...rows }: AskedLog, isErased: boolean) => ({
  tenant,
  source: {
    checkpoint: async () => (await log.checkpoint(tenant))?.note ?? null,
    tile: (name) => log.tile(tenant, name),
    leaves: async (fromIndex, limit) => (isErased ? null : log.leaves(tenant, fromIndex, limit)),
    expired: async () => (isErased ? null : expired()),
  } satisfies LogSource,
  againstRecords: againstRows(rows, tenant) satisfies LeavesQuestion['againstRecords'],
})

const againstRows = ({ records, sources }: Pick<AskedLog, 'records' | 'sources'>, tenant: string) => {
  const nowSeconds = systemClock.nowSeconds()
  const withRecord = agreesWithRecord(records, tenant, nowSeconds)
  return sources === undefined ? withRecord : bothAgree(withRecord, agreesWithSource(sources, tenant, nowSeconds))
}

export const answererOf = async ({ dataDir, tenant, isErased }: DataLog): Promise<Answerer> => {
  const opened = await openLog(dataDir, tenant)
  const question = questionOf(askedIn(opened), isErased)
  return {
    async leaves({ stretch, expired }) {
      const asked = { ...question, expired }
      return checkLeaves(
        VERIFY_PORTS.hashes,
        asked,
        stretch,
        await linkBefore(VERIFY_PORTS.hashes, asked, stretch.start),
      )
    },
    records: async () => (await unloggedIn(opened)).map(({ id }) => ({ id })),
  }
}

export const unloggedIn = ({ database, log, retention, tenant }: OpenedLog) =>
  recordsWithoutLeaf({ feed: createChangeFeed(database), store: log, retention }, tenant)

export type VerifyCrew = Crew & AsyncDisposable & { readonly unlogged: () => Promise<Answers['records']> }

/** Null: a log of this size is verified sooner without. */
export const startCrew = (log: DataLog, size: number): VerifyCrew | null => {
  const threads = startThreads(log, size)
  if (threads === null) return null
  // One of its own: to look for all records takes long, and stretches are waited for in their order.
  const other = startThread(log)
  return {
    atOnce: threads.atOnce,
    check: (stretch, expired) => threads.check({ stretch, expired }),
    unlogged: () => other.ask('records', null),
    async [Symbol.asyncDispose]() {
      await Promise.all([threads.stop(), other.stop()])
    },
  }
}
