// Delivers a tenant's log to one of its sinks (design P7). The cursor moves only after the sink has taken what is before it: a
// crash in between brings it again under the same ids, and nothing is ever passed over but what the sink can never take, which
// becomes a dead letter in the commit that moves the cursor.
import type { Alarm } from '../../domain/alarm.ts'
import { canonicalJson } from '../../domain/canonical-json.ts'
import { LIMITS } from '../../domain/limits.ts'
import { eventOfCheckpoint } from '../../domain/ocsf/checkpoint.ts'
import type { OcsfEvent } from '../../domain/ocsf/event.ts'
import { encodeBase64, parseCheckpoint, unverifiedText } from '../../domain/tlog/signed-note.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Buried, Sink, SinkCursors, SinkPosition } from '../../ports/sinks.ts'
import type { LogLeaves, PublishedLog } from '../../ports/tenant-log.ts'
import { ageMs, type Moment, momentOf } from '../moment.ts'
import { offerEvents, type Stopped, settleEvents } from './offer-events.ts'

export type DeliverPorts = {
  readonly log: Pick<LogLeaves, 'leaves'> & Pick<PublishedLog, 'checkpoint' | 'about'>
  readonly cursors: SinkCursors
  readonly clock: Clock
  readonly alarm: Alarm
  /** Names this process among those that may deliver. */
  readonly holder: string
  /** The process ends: no more is tried than has begun. Absent: it never does. */
  readonly isStopping?: () => boolean
  /** Crash points for fault tests; absent in every production wiring. */
  readonly failpoint?: (name: 'delivered') => void
}

export type Target = {
  readonly tenant: string
  readonly issuerUrl: string
  readonly name: string
  readonly sink: Sink
}

/** What one process remembers of a sink between deliveries. */
export type SinkMemory = {
  failures: number
  /** Sent, and not settled yet: by which sink, from where, up to where, what was refused on the way, since when. */
  unsettled: (Stretch & { readonly sink: Sink; readonly from: number; readonly since: Moment }) | null
  /** It is offered so many at once: fewer where there was no time for more. */
  eventsMax: number
  alarmed: Moment | null
}

export const newSinkMemory = (): SinkMemory => ({
  failures: 0,
  unsettled: null,
  eventsMax: LIMITS.sinkEventsPerRequest,
  alarmed: null,
})

/** What a delivery came to. `busy`: another process delivers to this sink. */
export type Delivery = { readonly kind: 'all' | 'more' | 'busy' } | ({ readonly kind: 'stopped' } & Stopped)

/** Events of the log that follow one another, up to a position. */
type Stretch = { readonly to: SinkPosition; readonly dead: readonly Buried[] }

export const deliverEvents = async (ports: DeliverPorts, target: Target, memory: SinkMemory): Promise<Delivery> => {
  const { cursors, holder, clock } = ports
  const key = keyOf(target)
  if (!(await hasWork(ports, target, memory))) return { kind: 'all' }
  const nowMs = clock.nowMs()
  const from = await cursors.lease(key, holder, nowMs, nowMs + LIMITS.sinkLeaseMs)
  if (from === null) return { kind: 'busy' }
  const waited = await settleEarlier(ports, target, memory, from)
  const delivery = waited ?? (await sendPages(ports, target, memory, from))
  if (delivery.kind === 'stopped') await noteTrouble(ports, target, memory, delivery)
  else memory.failures = 0
  return delivery
}

export const keyOf = ({ tenant, name }: Target) => ({ tenant, sink: name })

/** Asked every second for every sink: it must not cost a write. */
export const hasWork = async (
  { log, cursors }: DeliverPorts,
  target: Target,
  { unsettled }: Pick<SinkMemory, 'unsettled'>,
): Promise<boolean> => {
  if (unsettled !== null) return true
  const at = await cursors.at(keyOf(target))
  const about = await log.about(target.tenant)
  const signed = await log.checkpoint(target.tenant)
  return at === null || at.leaf < (about?.size ?? 0) || at.checkpoint < (signed?.size ?? 0)
}

/** What an earlier delivery has sent and the sink had not settled; null: there is nothing of it to wait for. */
const settleEarlier = async (
  ports: DeliverPorts,
  target: Target,
  memory: SinkMemory,
  from: SinkPosition,
): Promise<Delivery | null> => {
  const { unsettled } = memory
  if (unsettled === null) return null
  const isOver = ageMs(unsettled.since, ports.clock) > LIMITS.sinkAcknowledgeMs
  // A sink that was set up anew knows nothing of what went to the one before: its silence is no acknowledgement.
  if (isOver || unsettled.sink !== target.sink || unsettled.from !== from.leaf) {
    memory.unsettled = null
    target.sink.forget?.()
    return null
  }
  const stopped = await settleEvents(target.sink)
  if (stopped !== null) return { kind: 'stopped', ...stopped }
  memory.unsettled = null
  await advance(ports, target, unsettled)
  return { kind: 'more' }
}

/** Request after request, as long as the lease is good for one more. What is refused is looked for no longer than that. */
const sendPages = async (
  ports: DeliverPorts,
  target: Target,
  memory: SinkMemory,
  from: SinkPosition,
): Promise<Delivery> => {
  const since = momentOf(ports.clock)
  const isLate = () => ageMs(since, ports.clock) > LIMITS.sinkLeaseMs / 3
  const isOver = () => isLate() || ports.isStopping?.() === true
  const { sink } = target
  let at = from
  let isMore = true
  let stopped: Stopped | null = null
  const dead: Buried[] = []
  for (let count = 0; isMore && stopped === null && count < LIMITS.sinkRequestsPerDelivery; count += 1) {
    if (isLate()) break
    const page = await readPage(ports, target, at, memory.eventsMax)
    if (page.items.length === 0) {
      isMore = false
      break
    }
    const offered = await offerEvents(
      sink,
      page.items.map(({ canonical }) => canonical),
      isOver,
    )
    stopped = offered.stopped
    memory.eventsMax = eventsMaxAfter(memory.eventsMax, stopped)
    const decided = page.items.slice(0, offered.decided)
    isMore = page.isMore || decided.length < page.items.length
    for (const { index, reason } of offered.refused) dead.push({ ...page.items[index]!, reason })
    at = positionAfter(at, decided)
    if (sink.settle === undefined && decided.length > 0) {
      ports.failpoint?.('delivered')
      await advance(ports, target, { to: at, dead: dead.splice(0) })
    }
  }
  if (sink.settle !== undefined && at !== from) {
    const unsettled = await settleEvents(sink)
    const stretch = { to: at, dead }
    if (unsettled === null) {
      ports.failpoint?.('delivered')
      await advance(ports, target, stretch)
    } else {
      memory.unsettled = { ...stretch, sink, from: from.leaf, since }
      stopped = unsettled
    }
  }
  return stopped === null ? { kind: isMore ? 'more' : 'all' } : { kind: 'stopped', ...stopped }
}

const eventsMaxAfter = (eventsMax: number, stopped: Stopped | null): number =>
  // One that is refused is found only beside one that is taken.
  stopped?.trouble === 'deadline' ? Math.max(2, Math.ceil(eventsMax / 4)) : LIMITS.sinkEventsPerRequest

/** An event on its way. `leaf`: null for a checkpoint, whose size is `checkpoint`. */
type Item = { readonly leaf: number | null; readonly checkpoint: number; readonly canonical: string }

const readPage = async (
  ports: DeliverPorts,
  target: Target,
  from: SinkPosition,
  eventsMax: number,
): Promise<{ readonly items: readonly Item[]; readonly isMore: boolean }> => {
  const leaves = await ports.log.leaves(target.tenant, from.leaf, eventsMax)
  const items: Item[] = []
  let bytes = 0
  for (const { index, canonical } of leaves) {
    bytes += canonical.length
    if (items.length > 0 && bytes > LIMITS.sinkRequestBytesMax) return { items, isMore: true }
    items.push({ leaf: index, checkpoint: from.checkpoint, canonical })
  }
  const isMore = leaves.length === eventsMax
  // A checkpoint comes behind everything it covers, and each that is there when the sink gets to it is told once.
  const checkpoint = isMore ? null : await checkpointItem(ports, target, positionAfter(from, items))
  return { items: checkpoint === null ? items : [...items, checkpoint], isMore }
}

const positionAfter = (from: SinkPosition, items: readonly Item[]): SinkPosition =>
  items.reduce((at, { leaf, checkpoint }) => ({ leaf: leaf === null ? at.leaf : leaf + 1, checkpoint }), from)

const checkpointItem = async (
  { log, clock }: DeliverPorts,
  { tenant, issuerUrl }: Target,
  at: SinkPosition,
): Promise<Item | null> => {
  const signed = await log.checkpoint(tenant)
  if (signed === null || signed.size <= at.checkpoint || signed.size > at.leaf) return null
  const checkpoint = parseCheckpoint(unverifiedText(signed.note))
  if (checkpoint === null) return null
  const { origin, size, root } = checkpoint
  const event = eventOfCheckpoint(
    { origin, size, rootBase64: encodeBase64(root), note: signed.note },
    { tenant, atSeconds: clock.nowSeconds() },
    { issuerUrl },
  )
  return { leaf: null, checkpoint: size, canonical: canonicalJson(event) }
}

const advance = async (ports: DeliverPorts, target: Target, { to, dead }: Stretch): Promise<void> => {
  await ports.cursors.advance(keyOf(target), ports.holder, to, dead, ports.clock.nowSeconds())
  if (dead.length > 0)
    ports.alarm('sink_dead_letter', { ...keyOf(target), count: dead.length, reason: dead[0]!.reason })
}

const noteTrouble = async (
  ports: DeliverPorts,
  target: Target,
  memory: SinkMemory,
  { trouble }: Stopped,
): Promise<void> => {
  memory.failures += 1
  await ports.cursors.note(keyOf(target), ports.holder, memory.failures, trouble)
  const at = await ports.cursors.at(keyOf(target))
  const [first] = await ports.log.leaves(target.tenant, at?.leaf ?? 0, 1)
  const { clock } = ports
  const isToldLately = memory.alarmed !== null && ageMs(memory.alarmed, clock) < LIMITS.sinkAlarmEveryMs
  if (first === undefined || isToldLately) return
  const lagSeconds = Math.floor((clock.nowMs() - (JSON.parse(first.canonical) as OcsfEvent).time) / 1000)
  if (lagSeconds <= LIMITS.sinkLagAlarmSeconds) return
  memory.alarmed = momentOf(clock)
  ports.alarm('sink_behind', { ...keyOf(target), trouble, lag_seconds: lagSeconds })
}
