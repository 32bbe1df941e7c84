// The token endpoint as the outermost span of a trace.
import { traceIdOf } from '../domain/trace.ts'
import type { HttpHandler } from './http.ts'

type Attributes = Readonly<Record<string, string | number>>

/** The part of the port that serves requests. */
type Tracing = {
  serve<T>(
    traceparent: string | undefined,
    work: (traceparent: string, end: (attributes: Attributes) => void) => Promise<T>,
  ): Promise<T>
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
