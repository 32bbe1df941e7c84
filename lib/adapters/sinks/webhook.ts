// A sink that is somebody's HTTPS endpoint: CloudEvents in batches, each request signed with the tenant's `log` key (RFC 9421). Any
// 2xx but a web page says that it has them.
import { hash } from 'node:crypto'
import { TAKEN } from '../../domain/sink.ts'
import type { SinkRuleOf } from '../../domain/tenant-config.ts'
import type { Clock } from '../../ports/clock.ts'
import type { OutboundHttp } from '../../ports/outbound-http.ts'
import type { Secrets } from '../../ports/secrets.ts'
import type { MessageSigner, Sink } from '../../ports/sinks.ts'
import { cloudEventText } from '../../wire/cloud-event.ts'
import { signatureBase, signatureHeaders } from '../../wire/message-signature.ts'
import { postEvents } from './post-events.ts'

const CONTENT_TYPE = 'application/cloudevents-batch+json'

export type WebhookPorts = {
  readonly http: OutboundHttp
  readonly secrets: Pick<Secrets, 'text'>
  readonly signer: MessageSigner
  readonly clock: Pick<Clock, 'nowSeconds'>
  readonly tenant: string
  readonly issuerUrl: string
}

export const createWebhookSink = (rule: SinkRuleOf<'webhook'>, ports: WebhookPorts): Sink => {
  const { http, secrets, signer, clock, tenant, issuerUrl } = ports
  // The URL as it goes on the wire: that is what the receiver sees and verifies.
  const url = new URL(rule.url).href
  const signed = async (text: string): Promise<Readonly<Record<string, string>>> => {
    const message = {
      url,
      contentType: CONTENT_TYPE,
      digest: hash('sha256', text, 'base64'),
      createdSeconds: clock.nowSeconds(),
    }
    const { kid, signature } = await signer.sign(tenant, (kid) => signatureBase({ ...message, kid }))
    return signatureHeaders({ ...message, kid }, Buffer.from(signature).toString('base64'))
  }
  return {
    async deliver(events) {
      const text = `[${events.map((event) => cloudEventText(event, { issuerUrl })).join(',')}]`
      const token = rule.token === null ? null : await secrets.text(rule.token)
      const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(await signed(text)) }
      const posted = await postEvents(
        http,
        // As it is: gzipped requests are beyond many a receiver.
        { url, contentType: CONTENT_TYPE, text, headers, isGzipped: false, events: events.length },
        { expect: 'not_a_page', statuses: [200, 201, 202, 204] },
      )
      return posted.kind === 'answered' ? TAKEN : posted
    },
  }
}
