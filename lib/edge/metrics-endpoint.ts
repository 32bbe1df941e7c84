// GET /metrics, on a port of its own: what it says of all tenants together is for the operator of the machine only.
import { METRICS_CONTENT_TYPE } from '../wire/metrics-text.ts'
import { type HttpHandler, jsonResponse } from './http.ts'

export const metricsEndpoint =
  (read: () => string): HttpHandler =>
  async ({ requestContext }) => {
    const { method } = requestContext.http
    if (method !== 'GET' && method !== 'HEAD')
      return jsonResponse(405, { error: 'method_not_allowed' }, { allow: 'GET, HEAD' })
    return {
      statusCode: 200,
      headers: { 'content-type': METRICS_CONTENT_TYPE, 'cache-control': 'no-store' },
      body: read(),
    }
  }
