// Tracing of the embedded broker. Where it is off, nothing is imported.
import { isTracingOn, type TraceEnvironment } from '../../lib/config/tracing.ts'
import type { Tracing } from '../../lib/ports/tracing.ts'

/** Undefined: it is off. */
export const startTracing = async (environment: TraceEnvironment): Promise<Tracing | undefined> => {
  if (!isTracingOn(environment)) return undefined
  const { createTracing } = await import('../../lib/adapters/otel/tracing.ts')
  return createTracing(environment)
}
