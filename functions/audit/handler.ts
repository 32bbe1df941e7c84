// audit: takes the record store's change feed and the queue of denials into the tenants' logs. Appends, and nothing else.

import type { AuditEntry, FeedItem } from '../../lib/domain/audit-entry.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { queueConsumer } from '../../lib/edge/queue.ts'
import { type StreamOptions, streamConsumer } from '../../lib/edge/stream.ts'
import { type FeedPorts, takeFeed } from '../../lib/flows/audit/take-feed.ts'
import type { DenialRecords } from '../../lib/ports/decisions.ts'
import type { Quarantine } from '../../lib/ports/queue.ts'
import { readDenials } from '../../lib/wire/denial-message.ts'
import type { QueueEvent, StreamEvent } from '../../lib/wire/lambda-events.ts'

type Wiring = {
  readonly ports: Omit<FeedPorts, 'alarm'>
  readonly denials: DenialRecords
  readonly denialQuarantine: Quarantine
  /** What follows from denials, once they are in the log. Throws Unavailable to be asked again. */
  readonly follow: (entries: readonly AuditEntry[]) => Promise<void>
  /** What a change of the store's feed is. */
  readonly readChange: StreamOptions<FeedItem>['read']
  readonly log: Parameters<typeof createAlarm>[1]
}

export const createHandler = ({ ports, denials: denialRecords, denialQuarantine, follow, readChange, log }: Wiring) => {
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
  return (event: QueueEvent | StreamEvent) => (isQueueEvent(event) ? denials(event) : changes(event))
}

/** One function, two sources. */
const isQueueEvent = (event: QueueEvent | StreamEvent): event is QueueEvent =>
  event.Records.some((record) => 'messageId' in record)
