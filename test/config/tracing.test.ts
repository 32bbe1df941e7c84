import { expect, test } from 'vitest'
import { isTracingOn } from '../../lib/config/tracing.ts'

test.each([
  [{}, false],
  [{ OTEL_SERVICE_NAME: 'sts' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'true' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_TRACES_EXPORTER: 'none' }, false],
])('with %o tracing is on: %s', (environment, isOn) => {
  expect(isTracingOn(environment)).toBe(isOn)
})
