// Records without leaves, where no feed can be read again: a stream keeps a day. Records are found by the hour of their decision, each
// with its outcome, and the log is asked for what it owes of them.
import type { AuditEntry } from '../../domain/audit-entry.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import type { HourlyRecords, RecordedAllow } from '../../ports/decisions.ts'
import type { LogRetention, LogStore } from '../../ports/tenant-log.ts'
import { keptFromMs, owedFor, type Unlogged } from './reconcile-log.ts'

export type UnloggedPorts = {
  readonly records: HourlyRecords
  readonly store: Pick<LogStore, 'known'>
  readonly retention: Pick<LogRetention, 'expired'>
  readonly clock: Pick<Clock, 'nowSeconds'>
}

const HOUR_SECONDS = 3600
export const hourOf = (seconds: number): number => Math.floor(seconds / HOUR_SECONDS)

/** Of the records of an hour what has no leaf, unless it is so young that it may be on its way. Throws Unavailable. */
export const unloggedOfHour = async (
  { records, store, retention, clock }: UnloggedPorts,
  tenant: string,
  hour: number,
): Promise<readonly Unlogged[]> => {
  const missing: Unlogged[] = []
  const fromMs = keptFromMs(await retention.expired(tenant))
  const untilMs = (clock.nowSeconds() - LIMITS.logOwedAfterSeconds) * 1000
  for await (const page of records.ofHour(tenant, hour)) {
    const owed = page
      .flatMap(entriesOf)
      .flatMap(owedFor)
      .filter(({ time }) => time >= fromMs && time <= untilMs)
    const known = await store.known(
      tenant,
      owed.map(({ id }) => id),
    )
    missing.push(...owed.filter(({ id }) => !known.has(id)))
  }
  return missing
}

/** Of all hours that records are kept of, whatever their evidence: the oldest first. */
export const unloggedOfAll = async (ports: UnloggedPorts, tenant: string): Promise<readonly Unlogged[]> => {
  const now = ports.clock.nowSeconds()
  const missing: Unlogged[] = []
  for (let hour = hourOf(now - LIMITS.recordKeepSeconds) + 1; hour <= hourOf(now); hour += 1)
    missing.push(...(await unloggedOfHour(ports, tenant, hour)))
  return missing
}

/** In the order they are appended in: an outcome is of a record. */
const entriesOf = ({ record, notIssued }: RecordedAllow): readonly AuditEntry[] => [
  { kind: 'grant', record },
  ...(notIssued === null ? [] : [{ kind: 'not_issued' as const, outcome: notIssued }]),
]
