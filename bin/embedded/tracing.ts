// Tracing of the embedded broker: what is wrapped in which span. Off unless an OTLP endpoint is named, and then nothing is
// imported and nothing is wrapped.
import type { OcsfEvent } from '../../lib/domain/ocsf/event.ts'
import { traceIdOf } from '../../lib/domain/trace.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import type { GrantStore } from '../../lib/ports/grant-store.ts'
import type { Mint } from '../../lib/ports/mint.ts'
import type { KeyRing } from '../../lib/ports/signing-keys.ts'
import type { Sink } from '../../lib/ports/sinks.ts'
import type { Tracing } from '../../lib/ports/tracing.ts'

export type TraceEnvironment = Readonly<Record<string, string | undefined>>

/** OTEL_* as the specification has them. */
export const isTracingOn = (environment: TraceEnvironment): boolean => {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter = 'otlp' } = environment
  const endpoint = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? ''
  return endpoint !== '' && exporter === 'otlp' && disabled?.toLowerCase() !== 'true'
}

/** Undefined: it is off. */
export const startTracing = async (environment: TraceEnvironment): Promise<Tracing | undefined> => {
  if (!isTracingOn(environment)) return undefined
  const { createTracing } = await import('../../lib/adapters/otel/tracing.ts')
  return createTracing(environment)
}

/** The record then has the trace id of the span, whether the caller began the trace or the broker. */
export const tracedEndpoint =
  (tracing: Tracing, handler: HttpHandler): HttpHandler =>
  (event) => {
    const { traceparent } = event.headers
    return tracing.serve(traceIdOf(traceparent) === null ? undefined : traceparent, async (goesOn, end) => {
      const answer = await handler({ ...event, headers: { ...event.headers, traceparent: goesOn } })
      end({
        'http.request.method': event.requestContext.http.method,
        'http.route': '/t/{tenant}/token',
        'http.response.status_code': answer.statusCode,
      })
      return answer
    })
  }

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
  sign: (key, input) => tracing.during('sign', { 'mintmark.alg': key.alg }, () => keys.sign(key, input)),
})

type GrantEntry = { readonly kind: string; readonly record?: { readonly traceId: string; readonly decisionId: string } }

/** Appending to the log: a span in the trace of each grant. */
export const tracedAppend =
  <Entry extends GrantEntry>(
    tracing: Tracing,
    append: (tenant: string, entries: readonly Entry[]) => Promise<void>,
  ): typeof append =>
  async (tenant, entries) => {
    const fromMs = Date.now()
    await append(tenant, entries)
    const times = { fromMs, toMs: Date.now() }
    for (const { record } of entries)
      if (record !== undefined) tracing.follow('feed', record, times, { 'mintmark.tenant': tenant })
  }

/** Delivery to a sink: a span in the trace of each grant. */
export const tracedSink = (tracing: Tracing, name: string, sink: Sink): Sink => ({
  ...sink,
  async deliver(canonical) {
    const fromMs = Date.now()
    const answer = await sink.deliver(canonical)
    if (answer.kind !== 'taken') return answer
    const times = { fromMs, toMs: Date.now() }
    for (const text of canonical) {
      const { metadata, ...event } = JSON.parse(text) as OcsfEvent
      const traceId = metadata['correlation_uid']
      if (event['status_code'] !== 'granted' || typeof traceId !== 'string') continue
      tracing.follow('sink', { traceId, decisionId: metadata.uid }, times, { 'mintmark.sink': name })
    }
    return answer
  },
})
