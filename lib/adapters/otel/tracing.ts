// Tracing by the OpenTelemetry SDK: OTLP over HTTP, set up by the standard OTEL_* variables. Imported only where it is on. The
// span of mint is named by its decision, so that audit, which has the record and nothing else, can hang its spans below it.
import { context, type Span, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Tracing } from '../../ports/tracing.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The last 8 bytes of the id: of a UUID of version 7 they are random. */
const spanIdOf = (decisionId: string): string => decisionId.replaceAll('-', '').slice(-16)

/** Names the next span where it is told to; the SDK asks it while it makes the span, in the same turn. */
class NamedIds implements IdGenerator {
  next: string | null = null
  readonly #random = new RandomIdGenerator()
  generateTraceId(): string {
    return this.#random.generateTraceId()
  }
  generateSpanId(): string {
    const { next } = this
    this.next = null
    return next ?? this.#random.generateSpanId()
  }
}

/** OTEL_TRACES_SAMPLER and its ARG; the default of the specification is parentbased_always_on. `root`: for traces begun here. */
const samplersOf = (environment: Environment): { readonly root: Sampler; readonly sampler: Sampler } => {
  const { OTEL_TRACES_SAMPLER: name = 'parentbased_always_on', OTEL_TRACES_SAMPLER_ARG: ratio = '1' } = environment
  const root = rootSampler(name.replace('parentbased_', ''), Number(ratio))
  return { root, sampler: name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root }
}

const rootSampler = (kind: string, ratio: number): Sampler => {
  if (kind === 'always_off') return new AlwaysOffSampler()
  return kind === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler()
}

export const createTracing = (environment: Environment): Tracing => {
  const ids = new NamedIds()
  const { root, sampler } = samplersOf(environment)
  const processor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })
  const provider = new TracerProvider({
    idGenerator: ids,
    sampler,
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'mintmark' }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [processor],
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const tracer = provider.getTracer('mintmark')
  return {
    serve(traceparent, work) {
      const span = tracer.startSpan('attest', { kind: SpanKind.SERVER }, withParent(traceparent))
      return inSpan(span, () => work(traceparentOf(span), (attributes) => void span.setAttributes(attributes)))
    },
    during(name, attributes, work, decisionId) {
      ids.next = decisionId === undefined ? null : spanIdOf(decisionId)
      return inSpan(tracer.startSpan(name, { attributes }), work)
    },
    send(name, attributes, work) {
      const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes })
      return inSpan(span, () => work(traceparentOf(span)))
    },
    follow(name, { traceId, decisionId }, { fromMs, toMs }, attributes) {
      const { decision } = root.shouldSample(context.active(), traceId, name, SpanKind.INTERNAL, {}, [])
      if (decision !== SamplingDecision.RECORD_AND_SAMPLED) return
      const parent = { traceId, spanId: spanIdOf(decisionId), traceFlags: TraceFlags.SAMPLED, isRemote: true }
      tracer
        .startSpan(name, { attributes, startTime: fromMs }, trace.setSpanContext(context.active(), parent))
        .end(toMs)
    },
    close: () => provider.shutdown(),
  }
}

const traceparentOf = (span: Span): string => {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-${traceFlags === TraceFlags.SAMPLED ? '01' : '00'}`
}

const withParent = (traceparent: string | undefined) => {
  const [, traceId, spanId, flags] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(traceparent ?? '') ?? []
  if (traceId === undefined || spanId === undefined) return context.active()
  const traceFlags = Number.parseInt(flags ?? '0', 16) & TraceFlags.SAMPLED
  return trace.setSpanContext(context.active(), { traceId, spanId, traceFlags, isRemote: true })
}

/** Ends the span when the work does. Of a failure only that there was one. */
const inSpan = <T>(span: Span, work: () => T): T => {
  const failed = (error: unknown): never => {
    span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
    throw error
  }
  try {
    const result = context.with(trace.setSpan(context.active(), span), work)
    if (!(result instanceof Promise)) {
      span.end()
      return result
    }
    return result.then((value) => {
      span.end()
      return value
    }, failed) as T
  } catch (error) {
    return failed(error)
  }
}
