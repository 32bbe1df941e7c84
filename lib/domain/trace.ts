// W3C Trace Context: the trace that came in is the trace that goes on (P11). Pure.
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The trace id of a valid `traceparent`, or null: all-zero ids and version ff are invalid (W3C Trace Context §3.2.2). */
export const traceIdOf = (traceparent: string | undefined): string | null => {
  const id =
    traceparent === undefined || traceparent.startsWith('ff') ? null : (TRACEPARENT.exec(traceparent)?.[1] ?? null)
  return id === null || /^0+$/.test(id) ? null : id
}
