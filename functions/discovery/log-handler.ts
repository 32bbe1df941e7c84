// discovery's other half: GET of a tenant's log. Reads what audit wrote; has no key.
import { endpoint } from '../../lib/edge/endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { type LogEndpointOptions, logEndpoint } from '../../lib/edge/log-endpoint.ts'

export const createLogHandler = (options: LogEndpointOptions, log: Parameters<typeof endpoint>[2]): HttpHandler =>
  endpoint('discovery', logEndpoint(options), log)
