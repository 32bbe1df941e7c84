// Spans of what is done, for whoever runs a collector. Obligations: nothing that is done changes because it is traced, or
// because a collector is away; no attribute holds a token, key, claim value or error text.

export type SpanName = 'attest' | 'mint' | 'store' | 'sign' | 'feed' | 'sink' | 'deliver'
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** What a record says of the exchange it came of. */
export type Traced = { readonly traceId: string; readonly decisionId: string }

export interface Tracing {
  /** A request: continues the trace of a `traceparent`, or begins one. `work` is given the `traceparent` to go on with. */
  serve<T>(
    traceparent: string | undefined,
    work: (traceparent: string, end: (attributes: SpanAttributes) => void) => Promise<T>,
  ): Promise<T>
  /** A part of what is running. `decisionId`: names the span, so that whoever has only the record can hang others below it. */
  during<T>(name: SpanName, attributes: SpanAttributes, work: () => T, decisionId?: string): T
  /** A request to another service. `work` is given the `traceparent` that goes with it. */
  send<T>(name: SpanName, attributes: SpanAttributes, work: (traceparent: string) => Promise<T>): Promise<T>
  /** Something done later, elsewhere, for a record: in the trace of its exchange. Times in ms since the epoch. */
  follow(
    name: SpanName,
    of: Traced,
    times: { readonly fromMs: number; readonly toMs: number },
    attributes: SpanAttributes,
  ): void
  /** Sends what waits. */
  close(): Promise<void>
}
