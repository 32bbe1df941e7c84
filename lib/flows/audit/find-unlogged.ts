// Records without leaves, where no feed can be read again: a stream keeps a day. Records are found by the hour of their decision, each
// with its outcome, changes by their numbers, and the log is asked for what it owes of them.
import type { AuditEntry } from '../../domain/audit-entry.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { Clock } from '../../ports/clock.ts'
import { CHANGE_SERIES, type ChangeSeries, type ControlRecords } from '../../ports/control-records.ts'
import type { HourlyRecords, RecordedAllow } from '../../ports/decisions.ts'
import type { LogRetention, LogStore } from '../../ports/tenant-log.ts'
import { keptFromMs, owedFor, type Unlogged } from './reconcile-log.ts'

export type UnloggedPorts = {
  readonly records: HourlyRecords
  readonly control: ControlRecords
  readonly store: Pick<LogStore, 'known'>
  readonly retention: Pick<LogRetention, 'expired'>
  readonly clock: Pick<Clock, 'nowSeconds'>
}

const HOUR_SECONDS = 3600
export const hourOf = (seconds: number): number => Math.floor(seconds / HOUR_SECONDS)

/** Of whose log, and of which time, in milliseconds, both ends among them. */
export type Owed = { readonly tenant: string; readonly fromMs: number; readonly untilMs: number }

/** What a log owes now: nothing that expired, and nothing so young that it may be on its way. Throws Unavailable. */
export const owedNow = async ({ retention, clock }: UnloggedPorts, tenant: string): Promise<Owed> => ({
  tenant,
  fromMs: keptFromMs(await retention.expired(tenant)),
  untilMs: (clock.nowSeconds() - LIMITS.logOwedAfterSeconds) * 1000,
})

const withoutLeaf = async (
  { store }: UnloggedPorts,
  { tenant, fromMs, untilMs }: Owed,
  entries: readonly AuditEntry[],
): Promise<readonly Unlogged[]> => {
  const owed = entries.flatMap(owedFor).filter(({ time }) => time >= fromMs && time <= untilMs)
  const known = await store.known(
    tenant,
    owed.map(({ id }) => id),
  )
  return owed.filter(({ id }) => !known.has(id))
}

/** Of the records and look-ups of an hour what has no leaf. Throws Unavailable. */
export const unloggedOfHour = async (ports: UnloggedPorts, owed: Owed, hour: number): Promise<readonly Unlogged[]> => {
  const [records, lookUps] = await Promise.all([
    unloggedRecords(ports, owed, hour),
    ports.control.lookUps(owed.tenant, hour),
  ])
  return [...records, ...(await withoutLeaf(ports, owed, lookUps))]
}

const unloggedRecords = async (ports: UnloggedPorts, owed: Owed, hour: number): Promise<readonly Unlogged[]> => {
  const missing: Unlogged[] = []
  for await (const page of ports.records.ofHour(owed.tenant, hour))
    missing.push(...(await withoutLeaf(ports, owed, page.flatMap(entriesOf))))
  return missing
}

/** Of the moves of keys from an hour on what has no leaf. Throws Unavailable. */
export const unloggedMoves = async (
  ports: UnloggedPorts,
  owed: Owed,
  fromHour: number,
): Promise<readonly Unlogged[]> => {
  const fromMs = Math.max(owed.fromMs, fromHour * HOUR_SECONDS * 1000)
  return withoutLeaf(ports, { ...owed, fromMs }, await ports.control.keyMoves(owed.tenant))
}

/** `until`: all up to this number is in the log, or among what is missing, or expired. */
export type ComparedChanges = {
  readonly missing: readonly Unlogged[]
  readonly until: number
  readonly isMore: boolean
}

/** Of the next changes behind a number what has no leaf, up to the first that may be on its way. Throws Unavailable. */
export const unloggedChanges = async (
  ports: UnloggedPorts,
  span: Owed,
  series: ChangeSeries,
  after: number,
): Promise<ComparedChanges> => {
  const { control, store } = ports
  const { tenant } = span
  const max = LIMITS.changesPerCompare
  const changes = await control.changes(tenant, series, after, max)
  const known = await store.known(
    tenant,
    changes.flatMap(({ owes }) => (owes === null ? [] : [owes.id])),
  )
  const unknown = changes.filter(({ owes }) => owes !== null && !known.has(owes.id))
  const read = await control.entries(
    tenant,
    series,
    unknown.filter(({ owes }) => owes?.entry === null),
  )
  const missing = new Map<string, Unlogged>()
  let until = after
  for (const { number, owes } of changes) {
    if (owes !== null && !known.has(owes.id)) {
      const entry = owes.entry ?? read.get(owes.id)
      const [owed] = entry === undefined ? [] : owedFor(entry)
      const ms = owes.atSeconds === null ? owed?.time : owes.atSeconds * 1000
      if (ms !== undefined && isOnItsWay(ports, ms, span))
        return { missing: [...missing.values()], until, isMore: false }
      // One that is not there and no longer young was given up, or is carried out under another number.
      if (owed !== undefined && owed.time >= span.fromMs) missing.set(owed.id, owed)
    }
    until = number
  }
  return { missing: [...missing.values()], until, isMore: changes.length === max }
}

/** A time to come is of a clock that is wrong, as a person's may be, and holds up nothing behind it. */
const isOnItsWay = ({ clock }: UnloggedPorts, ms: number, { untilMs }: Owed): boolean =>
  ms > untilMs && ms <= (clock.nowSeconds() + LIMITS.logOwedAfterSeconds) * 1000

/** Of all hours that records are kept of, whatever their evidence, and of all changes: the oldest first. */
export const unloggedOfAll = async (ports: UnloggedPorts, tenant: string): Promise<readonly Unlogged[]> => {
  const now = ports.clock.nowSeconds()
  const owed = await owedNow(ports, tenant)
  const missing: Unlogged[] = []
  for (const series of CHANGE_SERIES)
    for (let after = 0, isMore = true; isMore; ) {
      const compared = await unloggedChanges(ports, owed, series, after)
      missing.push(...compared.missing)
      after = compared.until
      isMore = compared.isMore
    }
  missing.push(...(await unloggedMoves(ports, owed, 0)))
  for (let hour = hourOf(now - LIMITS.recordKeepSeconds) + 1; hour <= hourOf(now); hour += 1)
    missing.push(...(await unloggedOfHour(ports, owed, hour)))
  // An order of several selectors has as many changes, which may lie in two pages.
  return [...new Map(missing.map((one) => [one.id, one])).values()]
}

/** In the order they are appended in: an outcome is of a record. */
const entriesOf = ({ record, notIssued }: RecordedAllow): readonly AuditEntry[] => [
  { kind: 'grant', record },
  ...(notIssued === null ? [] : [{ kind: 'not_issued' as const, outcome: notIssued }]),
]
