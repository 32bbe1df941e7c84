// GET /metrics, on a port of its own: what it says of all tenants together is for the operator of the machine only.
import { METRICS_CONTENT_TYPE } from '../wire/metrics-text.ts'
import { onlyRead } from './form-request.ts'
import type { HttpHandler } from './http.ts'

export const metricsEndpoint =
  (read: () => string): HttpHandler =>
  async ({ requestContext }) => {
    const { method } = requestContext.http
    if (method !== 'GET' && method !== 'HEAD') return onlyRead()
    return {
      statusCode: 200,
      headers: { 'content-type': METRICS_CONTENT_TYPE, 'cache-control': 'no-store' },
      body: read(),
    }
  }
