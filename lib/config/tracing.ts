// Whether exchanges are traced: OTEL_* as the OpenTelemetry specification has them.

export type TraceEnvironment = Readonly<Record<string, string | undefined>>

/** Off unless an OTLP endpoint is named. */
export const isTracingOn = (environment: TraceEnvironment): boolean => {
  const { OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter = 'otlp' } = environment
  const endpoint = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? ''
  return endpoint !== '' && exporter === 'otlp' && disabled?.toLowerCase() !== 'true'
}
