// Offers one request's events to a sink, and finds the ones it can never take: what it refuses as a whole is brought again in
// halves. INVARIANT: an event is given up only where the sink took another one beside it; a sink that refuses everything is set
// up wrongly, and nothing is lost while somebody looks at it.
import { LIMITS } from '../domain/limits.ts'
import type { DeadLetterReason, SinkTrouble } from '../domain/sink.ts'
import { Unavailable } from '../domain/unavailable.ts'
import type { Sink } from '../ports/sinks.ts'

export type Refused = { readonly index: number; readonly reason: DeadLetterReason }
export type Stopped = { readonly trouble: SinkTrouble; readonly retryAfterMs: number | null }

/** The first `decided` events are the sink's, but for the refused ones among them; why not all are. */
export type Offered = {
  readonly decided: number
  readonly refused: readonly Refused[]
  readonly stopped: Stopped | null
}

export const offerEvents = async (sink: Sink, events: readonly string[]): Promise<Offered> => {
  const offered = await offerSome(sink, events, { requestsLeft: LIMITS.sinkSplitRequestsMax })
  const isNothingTaken = offered.refused.length === offered.decided
  if (offered.refused.length === 0 || !isNothingTaken) return offered
  return { decided: 0, refused: [], stopped: offered.stopped ?? { trouble: 'takes_nothing', retryAfterMs: null } }
}

const offerSome = async (sink: Sink, events: readonly string[], budget: { requestsLeft: number }): Promise<Offered> => {
  if (budget.requestsLeft === 0) return { decided: 0, refused: [], stopped: null }
  budget.requestsLeft -= 1
  const answer = await deliver(sink, events)
  if (answer.kind === 'later') return { decided: 0, refused: [], stopped: stoppedBy(answer) }
  if (answer.kind === 'taken') return { decided: events.length, refused: answer.refused, stopped: null }
  if (events.length === 1) return { decided: 1, refused: [{ index: 0, reason: answer.reason }], stopped: null }
  const half = Math.ceil(events.length / 2)
  const first = await offerSome(sink, events.slice(0, half), budget)
  if (first.decided < half) return first
  const second = await offerSome(sink, events.slice(half), budget)
  return {
    decided: half + second.decided,
    refused: [...first.refused, ...second.refused.map(({ index, reason }) => ({ index: half + index, reason }))],
    stopped: second.stopped,
  }
}

const stoppedBy = ({ trouble, retryAfterMs }: Stopped): Stopped => ({ trouble, retryAfterMs })

/** A secret, a key or a file that cannot be had now is as good as a sink that is down. */
const deliver: (sink: Sink, events: readonly string[]) => ReturnType<Sink['deliver']> = async (sink, events) => {
  try {
    return await sink.deliver(events)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    return { kind: 'later', trouble: 'unavailable_here', retryAfterMs: null }
  }
}

/** Null: everything that was taken is settled. */
export const settleEvents = async (sink: Sink): Promise<Stopped | null> => {
  if (sink.settle === undefined) return null
  try {
    const answer = await sink.settle()
    return answer.kind === 'later' ? stoppedBy(answer) : null
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    return { trouble: 'unavailable_here', retryAfterMs: null }
  }
}
