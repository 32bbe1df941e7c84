// A sink that is somebody's HTTPS endpoint: CloudEvents in batches, each request signed with the tenant's `log` key (RFC 9421). Any
// 2xx but a web page says that it has them.
import { hash } from 'node:crypto'
import { TAKEN } from '../../domain/sink.ts'
import type { SinkRuleOf } from '../../domain/tenant-config.ts'
import type { OutboundHttp } from '../../ports/outbound-http.ts'
import type { Secrets } from '../../ports/secrets.ts'
import type { MessageSigner, Sink } from '../../ports/sinks.ts'
import { cloudEventText } from '../../wire/cloud-event.ts'
import { signatureHeaders, WEBHOOK_TYPE, webhookTarget } from '../../wire/message-signature.ts'
import { postEvents } from './post-events.ts'

export type WebhookPorts = {
  readonly http: OutboundHttp
  readonly secrets: Pick<Secrets, 'text'>
  readonly signer: MessageSigner
  readonly tenant: string
  readonly issuerUrl: string
}

export const createWebhookSink = (rule: SinkRuleOf<'webhook'>, ports: WebhookPorts): Sink => {
  const { http, secrets, signer, tenant, issuerUrl } = ports
  const url = webhookTarget(rule.url)
  const signed = async (text: string): Promise<Readonly<Record<string, string>>> => {
    const request = { url, digest: hash('sha256', text, 'base64') }
    const { signature, ...made } = await signer.sign(tenant, request)
    return signatureHeaders({ ...request, ...made }, signature)
  }
  return {
    async deliver(events) {
      const text = `[${events.map((event) => cloudEventText(event, { issuerUrl })).join(',')}]`
      const token = rule.token === null ? null : await secrets.text(rule.token)
      const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(await signed(text)) }
      const posted = await postEvents(
        http,
        // As it is: gzipped requests are beyond many a receiver.
        { url, contentType: WEBHOOK_TYPE, text, headers, isGzipped: false, events: events.length },
        { expect: 'not_a_page', statuses: [200, 201, 202, 204] },
      )
      return posted.kind === 'answered' ? TAKEN : posted
    },
  }
}
