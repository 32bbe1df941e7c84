// A sink that is a Splunk HTTP Event Collector, with indexer acknowledgement: a 200 says only that a queue has the events, and a
// queue can be lost. What was sent is the sink's once `/services/collector/ack` says so of every request.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../domain/limits.ts'
import { later, type SinkAnswer, TAKEN } from '../../domain/sink.ts'
import type { SinkRuleOf } from '../../domain/tenant-config.ts'
import type { OutboundHttp } from '../../ports/outbound-http.ts'
import type { Secrets } from '../../ports/secrets.ts'
import type { Sink } from '../../ports/sinks.ts'
import { hecAckId, hecIndexed, hecRefusal } from '../../wire/sink-answers.ts'
import { hecEvent } from '../../wire/sink-bodies.ts'
import { jsonOf, type Posted, postEvents } from './post-events.ts'

type Ports = {
  readonly http: OutboundHttp
  readonly secrets: Pick<Secrets, 'text'>
  readonly issuerUrl: string
  /** Shorter in tests. */
  readonly ackWaitMs?: number
}

export const createSplunkHecSink = (rule: SinkRuleOf<'splunk-hec'>, ports: Ports): Sink => {
  const base = rule.url.replace(/\/+$/, '')
  // Ids of acknowledgements are counted by channel: one that nobody else has.
  const channel = randomUUID()
  const unsettled = new Set<number>()
  const post = async (path: string, text: string, events: number): Promise<Posted> =>
    postEvents(
      ports.http,
      {
        url: `${base}${path}`,
        contentType: 'application/json',
        text,
        headers: {
          authorization: `Splunk ${await ports.secrets.text(rule.token)}`,
          'x-splunk-request-channel': channel,
        },
        isGzipped: true,
        events,
      },
      { expect: 'json', statuses: [200, 400] },
    )

  const deliver: Sink['deliver'] = async (events) => {
    const text = events.map((event) => hecEvent(event, ports, rule.index)).join('\n')
    const posted = await post('/services/collector/event', text, events.length)
    if (posted.kind !== 'answered') return posted
    if (posted.status === 400) return hecRefusal(jsonOf(posted.body))
    const id = hecAckId(jsonOf(posted.body))
    if (id === null) return later('not_its_protocol')
    if (!rule.isAcknowledged) return TAKEN
    // The token has no indexer acknowledgement: nobody would ever say that these are not lost.
    if (id === undefined) return later('not_acknowledged')
    unsettled.add(id)
    return TAKEN
  }

  const askOnce = async (): Promise<SinkAnswer> => {
    const posted = await post('/services/collector/ack', JSON.stringify({ acks: [...unsettled] }), 0)
    if (posted.kind === 'later') return posted
    const indexed =
      posted.kind === 'answered' && posted.status === 200 ? hecIndexed(jsonOf(posted.body), unsettled) : null
    if (indexed === null) return later('not_its_protocol')
    for (const id of indexed) unsettled.delete(id)
    return unsettled.size === 0 ? TAKEN : later('not_acknowledged', LIMITS.sinkAcknowledgePollMs)
  }

  const settle = async (): Promise<SinkAnswer> => {
    if (unsettled.size === 0) return TAKEN
    const untilMs = performance.now() + (ports.ackWaitMs ?? LIMITS.sinkAcknowledgeWaitMs)
    for (;;) {
      const answer = await askOnce()
      const isWaiting = answer.kind === 'later' && answer.trouble === 'not_acknowledged'
      if (!isWaiting || performance.now() >= untilMs) return answer
      await sleep(LIMITS.sinkAcknowledgePollMs, undefined, { ref: false })
    }
  }
  return rule.isAcknowledged ? { deliver, settle, forget: () => unsettled.clear() } : { deliver }
}
