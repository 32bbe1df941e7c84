// A sink that takes OTLP/HTTP logs in JSON (opentelemetry.io/docs/specs/otlp): any collector. Partial success says how many it
// refused and not which: then the batch is brought again in halves, until it is known. Grafana Loki says with 204 that it has them all.
import { TAKEN } from '../../domain/sink.ts'
import type { SinkRuleOf } from '../../domain/tenant-config.ts'
import type { OutboundHttp } from '../../ports/outbound-http.ts'
import type { Secrets } from '../../ports/secrets.ts'
import type { Sink } from '../../ports/sinks.ts'
import { otlpAnswer } from '../../wire/sink-answers.ts'
import { otlpLogs } from '../../wire/sink-bodies.ts'
import { jsonOf, postEvents } from './post-events.ts'

type Ports = { readonly http: OutboundHttp; readonly secrets: Pick<Secrets, 'text'>; readonly issuerUrl: string }

export const createOtlpLogsSink = (rule: SinkRuleOf<'otlp-logs'>, { http, secrets, issuerUrl }: Ports): Sink => ({
  async deliver(events) {
    const token = rule.token === null ? null : await secrets.text(rule.token)
    const headers: Record<string, string> =
      token === null ? {} : rule.header === null ? { authorization: `Bearer ${token}` } : { [rule.header]: token }
    const posted = await postEvents(
      http,
      {
        url: rule.url,
        contentType: 'application/json',
        text: otlpLogs(events, { issuerUrl }),
        headers,
        isGzipped: true,
        events: events.length,
      },
      { expect: 'json', statuses: [200, 204] },
    )
    if (posted.kind !== 'answered') return posted
    return posted.status === 204 ? TAKEN : otlpAnswer(jsonOf(posted.body))
  },
})
