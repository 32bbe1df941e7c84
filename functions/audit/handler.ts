// audit: takes the record store's change feed and the queue of denials into the tenants' logs, and by the clock what neither brought.
// Appends, and nothing else.

import type { AuditEntry, FeedItem } from '../../lib/domain/audit-entry.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { queueConsumer } from '../../lib/edge/queue.ts'
import { type StreamOptions, streamConsumer } from '../../lib/edge/stream.ts'
import { type RepairPorts, repairLogs } from '../../lib/flows/audit/repair-logs.ts'
import { type FeedPorts, takeFeed } from '../../lib/flows/audit/take-feed.ts'
import type { DenialRecords } from '../../lib/ports/decisions.ts'
import type { Quarantine } from '../../lib/ports/queue.ts'
import { readDenials } from '../../lib/wire/denial-message.ts'
import {
  type BatchResponse,
  isScheduled,
  type QueueEvent,
  type SCHEDULED,
  type StreamEvent,
} from '../../lib/wire/lambda-events.ts'

type Wiring = {
  readonly ports: Omit<FeedPorts, 'alarm'>
  /** Records, and how far logs were compared with them. */
  readonly repair: Omit<RepairPorts, 'alarm' | 'log'>
  readonly denials: DenialRecords
  readonly denialQuarantine: Quarantine
  /** What follows from denials, once they are in the log. Throws Unavailable to be asked again. */
  readonly follow: (entries: readonly AuditEntry[]) => Promise<void>
  /** What a change of the store's feed is. */
  readonly readChange: StreamOptions<FeedItem>['read']
  readonly log: Parameters<typeof createAlarm>[1]
}

export const createHandler = (wiring: Wiring) => {
  const { ports, repair, denials: denialRecords, denialQuarantine, follow, readChange, log } = wiring
  const alarm = createAlarm('audit', log)
  const changes = streamConsumer({ read: readChange, take: (items) => takeFeed({ ...ports, alarm }, items) })
  const denials = queueConsumer({
    name: 'audit',
    read: readDenials,
    tenantOf: ({ tenant }) => tenant,
    handle: async ({ tenant, entries }) => {
      await denialRecords.keep(tenant, entries)
      await ports.log.append(tenant, entries)
      await follow(entries)
      return 'done'
    },
    quarantine: denialQuarantine.put,
    alarm,
    log,
  })
  /** One function, three sources. */
  return async (event: QueueEvent | StreamEvent | typeof SCHEDULED): Promise<BatchResponse> => {
    if (!isScheduled(event)) return isQueueEvent(event) ? denials(event) : changes(event)
    await repairLogs({ ...repair, log: ports.log, alarm })
    return { batchItemFailures: [] }
  }
}

const isQueueEvent = (event: QueueEvent | StreamEvent): event is QueueEvent =>
  event.Records.some((record) => 'messageId' in record)
