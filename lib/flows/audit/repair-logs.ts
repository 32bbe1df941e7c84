// Compares the tenants' logs with what they are of, records hour by hour and changes by their numbers, and appends what has no leaf:
// what the feed did not bring in the time it keeps it. Each is compared once, when it is owed; a run that ends early goes on with the next.
import type { Alarm } from '../../domain/alarm.ts'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { AuditLog } from '../../ports/audit-log.ts'
import type { Clock } from '../../ports/clock.ts'
import { CHANGE_SERIES, type ChangeSeries } from '../../ports/control-records.ts'
import type { Compared, ComparedLogs } from '../../ports/tenant-log.ts'
import {
  hourOf,
  type Owed,
  owedNow,
  type UnloggedPorts,
  unloggedChanges,
  unloggedMoves,
  unloggedOfHour,
} from './find-unlogged.ts'
import type { Unlogged } from './reconcile-log.ts'

export type RepairPorts = Omit<UnloggedPorts, 'clock'> & {
  readonly list: ComparedLogs
  readonly log: AuditLog
  readonly alarm: Alarm
  readonly clock: Pick<Clock, 'nowSeconds' | 'monotonicMs'>
}

/**
 * Logs that are furthest behind come first, and one that cannot be read holds up no other. Throws what was wrong with the first of
 * those, once all had their turn.
 */
export const repairLogs = async (ports: RepairPorts): Promise<void> => {
  const { list, clock } = ports
  const endMs = clock.monotonicMs() + LIMITS.repairRunMs
  const oldest = hourOf(clock.nowSeconds() - LIMITS.recordKeepSeconds) + 1
  const untilHour = hourOf(clock.nowSeconds() - LIMITS.logOwedAfterSeconds)
  const behind = (await list.compared())
    .map((compared) => ({ ...compared, from: Math.max(compared.nextHour ?? 0, oldest) }))
    .filter(({ from }) => from < untilHour)
    .sort((a, b) => a.from - b.from)
  const failures: unknown[] = []
  const next = behind.values()
  const repairNext = async (): Promise<void> => {
    for (const compared of next) {
      try {
        for await (const _ of repairTenant(ports, compared, untilHour)) if (clock.monotonicMs() >= endMs) return
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: LIMITS.repairTenantsAtOnce }, repairNext))
  if (failures.length > 0) throw failures.find((error) => !(error instanceof Unavailable)) ?? failures[0]
}

/**
 * Step by step; a run may end in front of any of them. INVARIANT: moves of keys come before the hours they are looked for in are said to
 * be done. Changes come last: they have numbers of their own, and go on from there an hour later.
 */
async function* repairTenant(
  ports: RepairPorts,
  { tenant, nextHour, from, ...compared }: Compared & { readonly from: number },
  untilHour: number,
): AsyncGenerator<void> {
  yield
  const owed = await owedNow(ports, tenant)
  await appendLate(ports, tenant, await unloggedMoves(ports, owed, nextHour ?? 0))
  for (let hour = from; hour < untilHour; hour += 1) {
    yield
    await appendLate(ports, tenant, await unloggedOfHour(ports, owed, hour))
    await ports.list.comparedUntil(tenant, hour + 1)
  }
  for (const series of CHANGE_SERIES) yield* repairChanges(ports, owed, series, compared[series])
}

async function* repairChanges(
  ports: RepairPorts,
  owed: Owed,
  series: ChangeSeries,
  from: number,
): AsyncGenerator<void> {
  for (let after = from, isMore = true; isMore; ) {
    yield
    const next = await unloggedChanges(ports, owed, series, after)
    await appendLate(ports, owed.tenant, next.missing)
    if (next.until > after) await ports.list.comparedChanges(owed.tenant, series, next.until)
    after = next.until
    isMore = next.isMore
  }
}

/** INVARIANT: the alarm comes first, so that whoever keeps records from the feed is heard even where nothing can be appended. */
const appendLate = async (ports: RepairPorts, tenant: string, missing: readonly Unlogged[]): Promise<void> => {
  if (missing.length === 0) return
  ports.alarm('record_unlogged', { tenant, count: missing.length })
  for (let at = 0; at < missing.length; at += LIMITS.logEntriesPerCommit)
    await ports.log.append(
      tenant,
      missing.slice(at, at + LIMITS.logEntriesPerCommit).map(({ entry }) => entry),
    )
}
