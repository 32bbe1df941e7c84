// W3C Trace Context: the trace that came in is the trace that goes on (P11). Pure.
const TRACEPARENT = /^([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/

/**
 * The trace id of a valid `traceparent`, or null: ids of zeros and version ff are invalid (W3C Trace Context §3.2.2). A later version
 * than 00 may have more behind what is known of it (§4).
 */
export const traceIdOf = (traceparent: string | undefined): string | null => {
  const [, version, traceId, more] = TRACEPARENT.exec(traceparent ?? '') ?? []
  return traceId === undefined || version === 'ff' || (version === '00' && more !== undefined) ? null : traceId
}
