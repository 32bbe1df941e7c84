// An authentic security event becomes one revocation order on the queue, once, and a record of what came of it (design §2).
// The order is durable before the record: a crash in between has the event again, and its order is the same one.
import type { Alarm } from '../../domain/alarm.ts'
import type { EventOutcome, RecordedEvent } from '../../domain/recorded-event.ts'
import { refuse } from '../../domain/refusal.ts'
import { ok, type Result } from '../../domain/result.ts'
import type { RevocationKind } from '../../domain/revocation.ts'
import type { Checked, OrderProof, RevocationOrder } from '../../domain/revocation-order.ts'
import type { Queue } from '../../ports/queue.ts'
import type { SecurityEvents } from '../../ports/security-events.ts'
import { type DraftPorts, draftOrder } from '../revocation/draft-order.ts'
import { sendOrder } from '../revocation/send-order.ts'

/** What a verified event says of this tenant. */
export type EventReport = {
  /** A UUID that follows from the event alone. */
  readonly id: string
  readonly tenant: string
  /** Name of the source in the tenant document. */
  readonly source: string
  readonly event: string
  readonly contentHash: string
  readonly meaning:
    | {
        readonly kind: 'revoke'
        readonly revoke: RevocationKind
        readonly value: string
        readonly form: 'block' | 'cut'
      }
    | { readonly kind: 'nothing' }
    | { readonly kind: 'acknowledge'; readonly isStreamEnding: boolean }
  /** What revoke verifies again. */
  readonly proof: OrderProof
}

export type TakePorts = DraftPorts & {
  readonly queue: Queue
  readonly events: Pick<SecurityEvents, 'find' | 'put'>
  readonly alarm: Alarm
  /** Crash points for fault tests; absent in every production wiring. */
  readonly failpoint?: (name: 'order_sent') => void
}

/**
 * When it resolves well, the event is not lost. The same event again changes nothing. Refuses: event_jti_reused,
 * event_unselectable. Throws Unavailable: send the event again.
 */
export const takeEvent = async (ports: TakePorts, report: EventReport): Promise<Result<EventOutcome>> => {
  const before = await ports.events.find(report.tenant, report.id)
  if (before !== null) {
    if (before.contentHash !== report.contentHash) return refuse('event_jti_reused')
    if (before.outcome !== 'unselectable') return ok(before.outcome)
  }
  const outcome = await carryOut(ports, report)
  ports.failpoint?.('order_sent')
  await ports.events.put(recordOf(report, outcome, ports.clock.nowSeconds()))
  const { tenant, source, event, id } = report
  if (outcome === 'selects_nothing') ports.alarm('event_selects_nothing', { tenant, source, event, id })
  if (outcome === 'unselectable') ports.alarm('event_not_carried_out', { tenant, source, event, id })
  if (report.meaning.kind === 'acknowledge' && report.meaning.isStreamEnding)
    ports.alarm('event_stream_ending', { tenant, source, event, id })
  return outcome === 'unselectable' ? refuse('event_unselectable') : ok(outcome)
}

const carryOut = async (ports: TakePorts, report: EventReport): Promise<EventOutcome> => {
  if (report.meaning.kind === 'nothing') return 'selects_nothing'
  if (report.meaning.kind === 'acknowledge') return 'acknowledged'
  const order = await orderOfEvent(ports, report)
  if (!order.ok) return 'unselectable'
  await sendOrder(ports.queue, order.value)
  return 'ordered'
}

/** The order an event becomes: the same wherever and whenever it is asked for, but for its time. */
export const orderOfEvent = (
  ports: DraftPorts,
  { id, tenant, source, event, meaning, proof }: EventReport,
): Promise<Checked<RevocationOrder>> => {
  if (meaning.kind !== 'revoke') return Promise.resolve({ ok: false, refusal: 'selectors_invalid' })
  const { revoke: kind, value, form } = meaning
  return draftOrder(ports, { id, tenant, kind, value, form, reason: `${event} reported by ${source}`, proof })
}

const recordOf = (
  { id, tenant, source, event, contentHash }: EventReport,
  outcome: EventOutcome,
  atSeconds: number,
): RecordedEvent => ({ v: 1, id, tenant, source, event, outcome, contentHash, atSeconds })
