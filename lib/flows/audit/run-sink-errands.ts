// What operators ask of a sink: to be sent a marked event, or its dead letters again. Done by the deliverer, with the sink's own
// secrets and connections: what works here works for events.
import { canonicalJson } from '../../domain/canonical-json.ts'
import { LIMITS } from '../../domain/limits.ts'
import { eventOfSinkTest } from '../../domain/ocsf/sink-test.ts'
import type { SinkErrand } from '../../domain/sink.ts'
import type { Clock } from '../../ports/clock.ts'
import type { SinkCursors, SinkErrands } from '../../ports/sinks.ts'
import { ageMs, momentOf } from '../moment.ts'
import { keyOf, type Target } from './deliver-events.ts'
import { offerEvents, settleEvents } from './offer-events.ts'

export type ErrandPorts = {
  readonly errands: SinkErrands
  readonly cursors: Pick<SinkCursors, 'lease'>
  readonly clock: Clock
  readonly holder: string
  readonly isStopping?: () => boolean
}

type Outcome = NonNullable<SinkErrand['outcome']>

export const openErrands = ({ errands, clock }: Pick<ErrandPorts, 'errands' | 'clock'>, target: Target) =>
  errands.open(keyOf(target), clock.nowSeconds() - LIMITS.sinkErrandSecondsMax)

/** True where something was asked and done, and went well. */
export const runSinkErrands = async (ports: ErrandPorts, target: Target): Promise<boolean> => {
  const { errands, cursors, clock, holder } = ports
  const open = await openErrands(ports, target)
  if (open.length === 0) return false
  const nowMs = clock.nowMs()
  if ((await cursors.lease(keyOf(target), holder, nowMs, nowMs + LIMITS.sinkLeaseMs)) === null) return false
  const since = momentOf(clock)
  const isOver = () => ageMs(since, clock) > LIMITS.sinkLeaseMs / 3 || ports.isStopping?.() === true
  let isWell = true
  for (const errand of open) {
    if (isOver()) return false
    const outcome =
      errand.kind === 'test' ? await sendTest(ports, target, errand) : await sendAgain(ports, target, isOver)
    await errands.done({ ...errand, outcome })
    isWell = isWell && outcome.trouble === null
  }
  return isWell
}

const sendTest = async ({ clock }: ErrandPorts, target: Target, { id }: SinkErrand): Promise<Outcome> => {
  const when = { tenant: target.tenant, atSeconds: clock.nowSeconds() }
  const event = eventOfSinkTest({ id, sink: target.name }, when, { issuerUrl: target.issuerUrl })
  const { decided, stopped } = await offerEvents(target.sink, [canonicalJson(event)], () => true)
  const trouble = stopped ?? (await settleEvents(target.sink))
  return trouble === null
    ? { delivered: decided, refused: 0, trouble: null }
    : { delivered: 0, refused: 0, trouble: trouble.trouble }
}

/** One by one: each by itself was refused once, and is not to hold up the others again. `deadline`: not all were sent in time. */
const sendAgain = async ({ errands }: ErrandPorts, target: Target, isOver: () => boolean): Promise<Outcome> => {
  const key = keyOf(target)
  const letters = await errands.deadLetters(key, 0, LIMITS.sinkDeadLettersPerResend)
  const taken: number[] = []
  let refused = 0
  let trouble: Outcome['trouble'] = null
  for (const { seq, canonical } of letters) {
    if (isOver()) {
      trouble = 'deadline'
      break
    }
    const { decided, stopped } = await offerEvents(target.sink, [canonical], isOver)
    if (decided === 1) taken.push(seq)
    else if (stopped?.trouble === 'takes_nothing') refused += 1
    else {
      trouble = stopped?.trouble ?? null
      break
    }
  }
  // Whatever keeps it from saying so: until it does, they may be lost.
  const unsettled = taken.length === 0 ? null : await settleEvents(target.sink)
  if (unsettled !== null) return { delivered: 0, refused, trouble: unsettled.trouble }
  for (const seq of taken) await errands.drop(key, seq)
  return { delivered: taken.length, refused, trouble }
}
