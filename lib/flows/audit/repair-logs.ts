// Compares the tenants' logs with their records, hour by hour, and appends what has no leaf: what the feed did not bring in the time it
// keeps it. Each hour is compared once, when all of it is owed; a run that ends early goes on with the next.
import type { Alarm } from '../../domain/alarm.ts'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { AuditLog } from '../../ports/audit-log.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ComparedLogs } from '../../ports/tenant-log.ts'
import { hourOf, type UnloggedPorts, unloggedOfHour } from './find-unlogged.ts'

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
  const owed = hourOf(clock.nowSeconds() - LIMITS.logOwedAfterSeconds)
  const behind = (await list.compared())
    .map(({ tenant, nextHour }) => ({ tenant, from: Math.max(nextHour ?? 0, oldest) }))
    .filter(({ from }) => from < owed)
    .sort((a, b) => a.from - b.from)
  const failures: unknown[] = []
  for (const { tenant, from } of behind) {
    try {
      for (let hour = from; hour < owed; hour += 1) {
        if (clock.monotonicMs() >= endMs) return
        await repairHour(ports, tenant, hour)
        await list.comparedUntil(tenant, hour + 1)
      }
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures.find((error) => !(error instanceof Unavailable)) ?? failures[0]
}

/** INVARIANT: the alarm comes first, so that whoever keeps records from the feed is heard even where nothing can be appended. */
const repairHour = async (ports: RepairPorts, tenant: string, hour: number): Promise<void> => {
  const missing = await unloggedOfHour(ports, tenant, hour)
  if (missing.length === 0) return
  ports.alarm('record_unlogged', { tenant, count: missing.length })
  for (let at = 0; at < missing.length; at += LIMITS.logEntriesPerCommit)
    await ports.log.append(
      tenant,
      missing.slice(at, at + LIMITS.logEntriesPerCommit).map(({ entry }) => entry),
    )
}
