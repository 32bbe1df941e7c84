// What became of the security events that were received: the memory that makes each of them count once, and the record an
// operator looks at.
import type { RecordedEvent } from '../domain/recorded-event.ts'

export interface SecurityEvents {
  /** Strong read by the event's id; null: not received, or forgotten after LIMITS.eventKeepSeconds. Throws Unavailable. */
  find(tenant: string, id: string): Promise<RecordedEvent | null>
  /** Durable when it resolves. The first one of an id stands. Throws Unavailable. */
  put(event: RecordedEvent): Promise<void>
  /** The newest first, of one tenant. */
  list(tenant: string, limit: number): Promise<readonly RecordedEvent[]>
}
