// audit takes the feed (design §3.4): decisions, outcomes and denials are appended to the tenant's log, once each, in the
// order they come. What was altered is an alarm; what cannot be read is quarantined, so that it holds up nothing behind it.
import type { Alarm } from '../../domain/alarm.ts'
import { type AuditEntry, type FeedItem, nameOfEntry } from '../../domain/audit-entry.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { AuditLog } from '../../ports/audit-log.ts'
import type { Quarantine } from '../../ports/queue.ts'

export type FeedPorts = {
  readonly log: AuditLog
  readonly quarantine: Quarantine
  readonly alarm: Alarm
}

/**
 * How many items from the front are taken: the reader goes on behind them, and brings the rest again. Of a rest brought again
 * some may be taken already, which is harmless. Never throws for an outage.
 */
export const takeFeed = async (ports: FeedPorts, items: readonly FeedItem[]): Promise<number> => {
  const ofTenants = new Map<string, { readonly first: number; readonly entries: AuditEntry[] }>()
  let taken = items.length
  for (const [at, item] of items.entries()) {
    if (item.kind === 'entry' || item.kind === 'entries') {
      for (const entry of item.kind === 'entry' ? [item.entry] : item.entries) {
        const { tenant } = nameOfEntry(entry)
        const run = ofTenants.get(tenant) ?? { first: at, entries: [] }
        run.entries.push(entry)
        ofTenants.set(tenant, run)
      }
    } else if (!(await takeOther(ports, item))) {
      taken = at
      break
    }
  }
  // Tenants do not wait for one another: one whose log cannot be written holds back the reader, not the others' entries.
  await Promise.all(
    [...ofTenants].map(async ([tenant, { first, entries }]) => {
      if (!(await isDone(() => ports.log.append(tenant, entries)))) taken = Math.min(taken, first)
    }),
  )
  return taken
}

const takeOther = async (
  ports: FeedPorts,
  item: Exclude<FeedItem, { kind: 'entry' | 'entries' }>,
): Promise<boolean> => {
  if (item.kind === 'altered') {
    const { tenant, change, eventId } = item
    ports.alarm('record_tampered', { tenant, change, eventId })
  }
  if (item.kind !== 'unreadable') return true
  const { body, reason, eventId } = item
  if (!(await isDone(() => ports.quarantine.put({ body, group: 'audit' }, reason)))) return false
  ports.alarm('record_unreadable', { reason, eventId })
  return true
}

const isDone = async (work: () => Promise<void>): Promise<boolean> => {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof Unavailable) return false
    throw error
  }
}
