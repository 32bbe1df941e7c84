// A sink that is an Elasticsearch or OpenSearch index: bulk `create` by the event's id, so that what is brought twice is there once.
import type { SinkRuleOf } from '../../domain/tenant-config.ts'
import type { OutboundHttp } from '../../ports/outbound-http.ts'
import type { Secrets } from '../../ports/secrets.ts'
import type { Sink } from '../../ports/sinks.ts'
import { bulkAnswer } from '../../wire/sink-answers.ts'
import { bulkLines } from '../../wire/sink-bodies.ts'
import { jsonOf, postEvents } from './post-events.ts'

export const createElasticsearchSink = (
  rule: SinkRuleOf<'elasticsearch'>,
  { http, secrets }: { readonly http: OutboundHttp; readonly secrets: Pick<Secrets, 'text'> },
): Sink => ({
  async deliver(events) {
    const headers: Record<string, string> =
      rule.token === null ? {} : { authorization: authorizationOf(rule.scheme, await secrets.text(rule.token)) }
    const url = `${rule.url.replace(/\/+$/, '')}/${rule.index}/_bulk`
    const posted = await postEvents(
      http,
      {
        url,
        contentType: 'application/x-ndjson',
        text: events.map(bulkLines).join(''),
        headers,
        isGzipped: true,
        events: events.length,
      },
      { expect: 'json', statuses: [200] },
    )
    return posted.kind === 'answered' ? bulkAnswer(jsonOf(posted.body), events.length) : posted
  },
})

const authorizationOf = (scheme: 'ApiKey' | 'Basic' | 'Bearer', secret: string): string =>
  `${scheme} ${scheme === 'Basic' ? Buffer.from(secret, 'latin1').toString('base64') : secret}`
