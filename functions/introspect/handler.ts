// introspect: POST /t/{tenant}/introspect and /revoke. Reads, and gives orders to the queue; has no key and no right to write
// a revocation itself.
import { endpoint } from '../../lib/edge/endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { introspectEndpoint, revokeEndpoint } from '../../lib/edge/introspect-endpoint.ts'
import type { CallerPorts } from '../../lib/flows/authorize-caller.ts'
import { introspectToken } from '../../lib/flows/introspect-token.ts'
import { type RevokeTokenPorts, revokeToken } from '../../lib/flows/revoke-token.ts'

type Wiring<Ports> = { readonly ports: Ports; readonly log: Parameters<typeof endpoint>[2] }

export const createIntrospect = ({ ports, log }: Wiring<CallerPorts>): HttpHandler =>
  endpoint(
    'introspect',
    introspectEndpoint({ act: (asked) => introspectToken(ports, asked), newTraceId: ports.ids.traceId }),
    log,
  )

export const createRevokeToken = ({ ports, log }: Wiring<RevokeTokenPorts>): HttpHandler =>
  endpoint('revoke', revokeEndpoint({ act: (asked) => revokeToken(ports, asked), newTraceId: ports.ids.traceId }), log)
