// What a thread of verify-threads.ts does for a log in a data directory, over connections of its own, and such threads for a verifier:
// stretches of leaves are checked, which is all but for putting roots together and looking for the records that none of them was of.
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import { createGrantRecords } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { agreesWithRecord } from '../../lib/flows/audit/agree-with-records.ts'
import { agreesWithSource, bothAgree } from '../../lib/flows/audit/agree-with-sources.ts'
import { checkLeaves, type LeavesQuestion, linkBefore } from '../../lib/flows/audit/check-leaves.ts'
import { recordsWithoutLeaf } from '../../lib/flows/audit/reconcile-log.ts'
import type { Crew } from '../../lib/flows/audit/verify-log.ts'
import type { FeedSpan } from '../../lib/ports/change-feed.ts'
import type { EventSources } from '../../lib/ports/control-records.ts'
import type { GrantRecords } from '../../lib/ports/decisions.ts'
import type { LogLeaves, LogSource } from '../../lib/ports/tenant-log.ts'
import { type OpenedLog, openLog, type ReadableLog, VERIFY_PORTS } from './open-log.ts'
import { type Answerer, type DataLog, startThreads } from './verify-threads.ts'

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
export const questionOf = (
  { tenant, log, expired, ...rows }: AskedLog,
  isErased: boolean,
  logged?: (span: FeedSpan) => void,
) => ({
  tenant,
  source: {
    checkpoint: async () => (await log.checkpoint(tenant))?.note ?? null,
    tile: (name) => log.tile(tenant, name),
    leaves: async (fromIndex, limit) => (isErased ? null : log.leaves(tenant, fromIndex, limit)),
    expired: async () => (isErased ? null : expired()),
  } satisfies LogSource,
  againstRecords: againstRows(rows, tenant, logged) satisfies LeavesQuestion['againstRecords'],
})

const againstRows = (
  { records, sources }: Pick<AskedLog, 'records' | 'sources'>,
  tenant: string,
  logged?: (span: FeedSpan) => void,
) => {
  const nowSeconds = systemClock.nowSeconds()
  const withRecord = agreesWithRecord(records, tenant, nowSeconds, logged)
  return sources === undefined ? withRecord : bothAgree(withRecord, agreesWithSource(sources, tenant, nowSeconds))
}

export const answererOf = async ({ dataDir, tenant, isErased }: DataLog): Promise<Answerer> => {
  const opened = await openLog(dataDir, tenant)
  return {
    async leaves({ stretch, expired }) {
      const logged: FeedSpan[] = []
      const asked = { ...questionOf(askedIn(opened), isErased, (span) => addSpan(logged, span)), expired }
      const { hashes } = VERIFY_PORTS
      const before = await linkBefore(hashes, asked, stretch.start)
      return { ...(await checkLeaves(hashes, asked, stretch, before)), logged }
    },
  }
}

/** One that goes on where the last ended makes that one longer: there are as many leaves as records, and hardly any gaps. */
const addSpan = (spans: FeedSpan[], { after, until }: FeedSpan): void => {
  const last = spans.at(-1)
  if (last?.until === after) spans[spans.length - 1] = { after: last.after, until }
  else spans.push({ after, until })
}

export const unloggedIn = ({ database, log, retention, tenant }: OpenedLog, logged: readonly FeedSpan[] = []) =>
  recordsWithoutLeaf({ feed: createChangeFeed(database), store: log, retention }, tenant, logged)

/** `logged`: of the stretches that were checked so far. */
export type VerifyCrew = Crew & AsyncDisposable & { readonly logged: () => readonly FeedSpan[] }

/** Null: a log of this size is verified sooner without. */
export const startCrew = (log: DataLog, size: number): VerifyCrew | null => {
  const threads = startThreads(log, size)
  if (threads === null) return null
  const spans: FeedSpan[] = []
  return {
    atOnce: threads.atOnce,
    async check(stretch, expired) {
      const { logged = [], ...checked } = await threads.check({ stretch, expired })
      for (const span of logged) addSpan(spans, span)
      return checked
    },
    logged: () => spans,
    async [Symbol.asyncDispose]() {
      await threads.stop()
    },
  }
}
