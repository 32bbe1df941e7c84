// What of an exchange, and of what audit does with its record, is a span. A wrapped port does what the port does, and fails as it
// does.
import type { OcsfEvent } from '../domain/ocsf/event.ts'
import type { Clock } from '../ports/clock.ts'
import type { GrantStore } from '../ports/grant-store.ts'
import type { Mint } from '../ports/mint.ts'
import type { OutboundHttp } from '../ports/outbound-http.ts'
import type { KeyRing } from '../ports/signing-keys.ts'
import type { Sink } from '../ports/sinks.ts'
import type { Traced, Tracing } from '../ports/tracing.ts'

export const tracedMint = (tracing: Tracing, mint: Mint['mint']): Mint['mint'] => {
  return (request) => {
    const { tenant, decisionId } = request
    const attributes = { 'mintmark.tenant': tenant, 'mintmark.decision_id': decisionId }
    return tracing.during('mint', attributes, () => mint(request), decisionId)
  }
}

export const tracedGrants = (tracing: Tracing, grants: GrantStore): GrantStore => ({
  ...grants,
  put: (put) => tracing.during('store', { 'db.operation.name': 'put' }, () => grants.put(put)),
})

export const tracedKeys = (tracing: Tracing, keys: KeyRing): KeyRing => ({
  ...keys,
  signCompact: (key, header, payload) =>
    tracing.during('sign', { 'mintmark.alg': key.alg }, () => keys.signCompact(key, header, payload)),
})

type GrantEntry = { readonly kind: string; readonly record?: Traced }
type Now = Pick<Clock, 'nowMs'>

/** Appending to the log: a span in the trace of each grant. */
export const tracedAppend =
  <Entry extends GrantEntry>(
    tracing: Tracing,
    clock: Now,
    append: (tenant: string, entries: readonly Entry[]) => Promise<void>,
  ): typeof append =>
  async (tenant, entries) => {
    const fromMs = clock.nowMs()
    await append(tenant, entries)
    const times = { fromMs, toMs: clock.nowMs() }
    for (const { record } of entries)
      if (record !== undefined) tracing.follow('feed', record, times, { 'mintmark.tenant': tenant })
  }

/** What is posted to a sink goes with a trace of its own, for a batch is of many. */
export const tracedPosts = (tracing: Tracing, http: OutboundHttp): OutboundHttp => ({
  ...http,
  post: (url, body, options) =>
    tracing.send('deliver', { 'server.address': new URL(url).hostname }, (traceparent) =>
      http.post(url, { ...body, headers: { ...body.headers, traceparent } }, options),
    ),
})

/** Delivery to a sink: a span in the trace of each grant. */
export const tracedSink = (tracing: Tracing, clock: Now, name: string, sink: Sink): Sink => ({
  ...sink,
  async deliver(canonical) {
    const fromMs = clock.nowMs()
    const answer = await sink.deliver(canonical)
    if (answer.kind !== 'taken') return answer
    const times = { fromMs, toMs: clock.nowMs() }
    for (const text of canonical) {
      const { metadata, ...event } = JSON.parse(text) as OcsfEvent
      const traceId = metadata['correlation_uid']
      if (event['status_code'] !== 'granted' || typeof traceId !== 'string') continue
      tracing.follow('sink', { traceId, decisionId: metadata.uid }, times, { 'mintmark.sink': name })
    }
    return answer
  },
})
