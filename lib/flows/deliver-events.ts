// Delivers a tenant's log to its sinks (design P7). The cursor moves only after the sink has taken what is before it: a crash in
// between brings it again under the same ids, and nothing is ever passed over. Each sink is alone: one that is down holds up
// itself.
import { canonicalJson } from '../domain/canonical-json.ts'
import { LIMITS } from '../domain/limits.ts'
import { eventOfCheckpoint } from '../domain/ocsf/checkpoint.ts'
import type { OcsfEvent } from '../domain/ocsf/event.ts'
import { encodeBase64, parseCheckpoint, unverifiedText } from '../domain/tlog/signed-note.ts'
import { Unavailable } from '../domain/unavailable.ts'
import type { Clock } from '../ports/clock.ts'
import type { Sink, SinkCursors } from '../ports/sinks.ts'
import type { LogLeaves, PublishedLog } from '../ports/tenant-log.ts'

export type DeliverPorts = {
  readonly log: Pick<LogLeaves, 'leaves'> & Pick<PublishedLog, 'checkpoint' | 'about'>
  readonly cursors: SinkCursors
  readonly clock: Pick<Clock, 'nowMs' | 'nowSeconds'>
  /** Names this process among those that may deliver. */
  readonly holder: string
  /** Crash points for fault tests; absent in every production wiring. */
  readonly failpoint?: (name: 'delivered') => void
}

export type Target = {
  readonly tenant: string
  readonly issuerUrl: string
  readonly name: string
  readonly sink: Sink
}

/** What a round came to. `waiting`: the sink did not take it, or another process delivers. */
export type Delivery = 'more' | 'all' | 'waiting'

export const deliverEvents = async (ports: DeliverPorts, target: Target): Promise<Delivery> => {
  const { log, cursors, holder, clock } = ports
  const { tenant } = target
  const key = { tenant, sink: target.name }
  if (await isUpToDate(ports, key)) return 'all'
  const nowMs = clock.nowMs()
  const from = await cursors.lease(key, holder, nowMs, nowMs + LIMITS.sinkLeaseMs)
  if (from === null) return 'waiting'
  const leaves = await log.leaves(tenant, from.leaf, LIMITS.sinkEventsPerDelivery)
  const texts = leaves.map(({ canonical }) => canonical)
  const leaf = (leaves.at(-1)?.index ?? from.leaf - 1) + 1
  // A checkpoint comes behind everything it covers, and each that is there when the sink gets to it is told once.
  const checkpoint = await checkpointEvent(ports, target, from.checkpoint, leaf)
  if (checkpoint !== null) texts.push(canonicalJson(checkpoint.event))
  if (texts.length === 0) return 'all'
  try {
    await (target.sink.deliverTexts?.(texts) ?? target.sink.deliver(texts.map((text) => JSON.parse(text) as OcsfEvent)))
  } catch (error) {
    if (error instanceof Unavailable) return 'waiting'
    throw error
  }
  ports.failpoint?.('delivered')
  await cursors.advance(key, holder, { leaf, checkpoint: checkpoint?.size ?? from.checkpoint })
  return leaves.length === LIMITS.sinkEventsPerDelivery ? 'more' : 'all'
}

/** Asked every second for every sink: it must not cost a write. */
const isUpToDate = async ({ log, cursors }: DeliverPorts, key: { tenant: string; sink: string }): Promise<boolean> => {
  const at = await cursors.at(key)
  const about = await log.about(key.tenant)
  const signed = await log.checkpoint(key.tenant)
  return at !== null && at.leaf >= (about?.size ?? 0) && at.checkpoint >= (signed?.size ?? 0)
}

const checkpointEvent = async (
  { log, clock }: DeliverPorts,
  { tenant, issuerUrl }: Target,
  told: number,
  leaf: number,
): Promise<{ readonly size: number; readonly event: OcsfEvent } | null> => {
  const signed = await log.checkpoint(tenant)
  if (signed === null || signed.size <= told || signed.size > leaf) return null
  const checkpoint = parseCheckpoint(unverifiedText(signed.note))
  if (checkpoint === null) return null
  const { origin, size, root } = checkpoint
  const event = eventOfCheckpoint(
    { origin, size, rootBase64: encodeBase64(root), note: signed.note },
    { tenant, atSeconds: clock.nowSeconds() },
    { issuerUrl },
  )
  return { size, event }
}

/** One delivery to every sink of every tenant, side by side; true where one of them could take more at once. */
export const deliverAll = async (
  ports: DeliverPorts & { readonly targetsOf: (tenant: string) => Promise<readonly Target[]> },
  tenants: readonly string[],
): Promise<boolean> => {
  const targets = (await Promise.all(tenants.map(ports.targetsOf))).flat()
  const delivered = await Promise.all(targets.map((target) => deliverEvents(ports, target)))
  return delivered.includes('more')
}
