// Offers one request's events to a sink, and finds the ones it can never take: what it refuses as a whole is brought again in
// halves. INVARIANT: an event is given up only where the sink took another one beside it; a sink that refuses everything is set
// up wrongly, and nothing is lost while somebody looks at it. One that is slow is not waited for here: it has a place of few.
import { LIMITS } from '../../domain/limits.ts'
import type { DeadLetterReason, SinkAnswer, SinkTrouble } from '../../domain/sink.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { Sink } from '../../ports/sinks.ts'

export type Refused = { readonly index: number; readonly reason: DeadLetterReason }
export type Stopped = { readonly trouble: SinkTrouble; readonly retryAfterMs: number | null }

/** The first `decided` events are the sink's, but for the refused ones among them; why not all are. */
export type Offered = {
  readonly decided: number
  readonly refused: readonly Refused[]
  readonly stopped: Stopped | null
}

/** `isOver`: there is no time for more requests than the first, and one that tells a bad event from a bad sink. */
export const offerEvents = async (sink: Sink, events: readonly string[], isOver: () => boolean): Promise<Offered> => {
  let requests = 0
  const ask: Ask = (some) => {
    requests += 1
    return deliver(sink, some)
  }
  const offered = await offerSome(ask, events, () => requests >= LIMITS.sinkSplitRequestsMax || isOver())
  const { decided, refused, stopped } = offered
  if (stopped === null && decided === 0) return nothing({ trouble: 'deadline', retryAfterMs: null })
  if (refused.length < decided || refused.length === 0) return offered
  if (stopped !== null) return nothing(stopped)
  const problem = await findTaken(ask, events.slice(decided), isOver)
  return problem === null ? offered : nothing(problem)
}

/** Answers of the sink to some of the events. */
type Ask = (events: readonly string[]) => Promise<SinkAnswer>

const nothing = (stopped: Stopped | null): Offered => ({ decided: 0, refused: [], stopped })

const offerSome = async (ask: Ask, events: readonly string[], isOver: () => boolean): Promise<Offered> => {
  const answer = await ask(events)
  if (answer.kind === 'later') return nothing(stoppedBy(answer))
  if (answer.kind === 'taken') return { decided: events.length, refused: answer.refused, stopped: null }
  if (events.length === 1) return { decided: 1, refused: [{ index: 0, reason: answer.reason }], stopped: null }
  if (isOver()) return nothing(null)
  const half = Math.ceil(events.length / 2)
  const first = await offerSome(ask, events.slice(0, half), isOver)
  if (first.decided < half || isOver()) return first
  const second = await offerSome(ask, events.slice(half), isOver)
  return {
    decided: half + second.decided,
    refused: [...first.refused, ...second.refused.map(({ index, reason }) => ({ index: half + index, reason }))],
    stopped: second.stopped,
  }
}

/**
 * Where only refused events were found in front of these: null, if the sink takes any of a few of them alone. It is brought again in
 * its turn. Otherwise, however many bad events lie in a row, nothing behind them would ever be delivered.
 */
const findTaken = async (ask: Ask, later: readonly string[], isOver: () => boolean): Promise<Stopped | null> => {
  let end = later.length
  for (let count = 0; end > 0 && count < LIMITS.sinkProbesMax && (count === 0 || !isOver()); count += 1) {
    const answer = await ask([later[end - 1]!])
    if (answer.kind === 'later') return stoppedBy(answer)
    if (answer.kind === 'taken' && answer.refused.length === 0) return null
    end = Math.floor(end / 2)
  }
  return { trouble: 'takes_nothing', retryAfterMs: null }
}

const stoppedBy = ({ trouble, retryAfterMs }: Stopped): Stopped => ({ trouble, retryAfterMs })

/** A secret, a key or a file that cannot be had now is as good as a sink that is down. */
const deliver = async (sink: Sink, events: readonly string[]): Promise<SinkAnswer> => {
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
