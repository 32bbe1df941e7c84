// Searches a tenant's log from an index on, leaf by leaf, a stretch at a time: whoever asks goes on where the answer says.
import { fitsSearch, type LogSearch } from '../../domain/audit-search.ts'
import { LIMITS } from '../../domain/limits.ts'
import type { OcsfEvent } from '../../domain/ocsf/event.ts'
import type { LogLeaves } from '../../ports/tenant-log.ts'

/** `next`: the index to go on from; null: the log was searched to its end. */
export type Found = { readonly events: readonly OcsfEvent[]; readonly next: number | null }

/** At most `limit` events of at most `auditScanMax` leaves. Throws Unavailable. */
export const searchLog = async (
  log: Pick<LogLeaves, 'leaves'>,
  tenant: string,
  search: LogSearch,
  { from, limit }: { readonly from: number; readonly limit: number },
): Promise<Found> => {
  const events: OcsfEvent[] = []
  let next = from
  for (let scanned = 0; scanned < LIMITS.auditScanMax; ) {
    const leaves = await log.leaves(tenant, next, LIMITS.auditPageMax)
    if (leaves.length === 0) return { events, next: null }
    for (const { index, canonical } of leaves) {
      next = index + 1
      const event = JSON.parse(canonical) as OcsfEvent
      if (!fitsSearch(event, search)) continue
      events.push(event)
      if (events.length === limit) return { events, next }
    }
    scanned += leaves.length
  }
  return { events, next }
}
