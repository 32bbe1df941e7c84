// introspect: POST /t/{tenant}/introspect and /revoke. Reads, and gives orders to the queue; has no key and no right to write
// a revocation itself.
import { endpoint } from '../../lib/edge/endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { introspectEndpoint, revokeEndpoint } from '../../lib/edge/introspect-endpoint.ts'
import { ofKnownTenant } from '../../lib/edge/known-tenant.ts'
import { type IntrospectPorts, introspectToken } from '../../lib/flows/introspect-token.ts'
import { type RevokeTokenPorts, revokeToken } from '../../lib/flows/revocation/revoke-token.ts'

type Wiring<Ports> = {
  readonly ports: Ports
  readonly log: Parameters<typeof endpoint>[2]
  /** What must be durable before the answer goes out: where nothing runs on after it, the denial of this request. */
  readonly settle?: () => Promise<void>
}

export const createIntrospect = ({ ports, log, settle }: Wiring<IntrospectPorts>): HttpHandler =>
  endpoint(
    'introspect',
    ofKnownTenant(
      ports.tenants,
      introspectEndpoint({ act: (asked) => introspectToken(ports, asked), newTraceId: ports.ids.traceId }),
    ),
    log,
    settle,
  )

export const createRevokeToken = ({ ports, log, settle }: Wiring<RevokeTokenPorts>): HttpHandler =>
  endpoint(
    'revoke',
    ofKnownTenant(
      ports.tenants,
      revokeEndpoint({ act: (asked) => revokeToken(ports, asked), newTraceId: ports.ids.traceId }),
    ),
    log,
    settle,
  )

/** Both in one function. */
export const createHandler = (wiring: Wiring<RevokeTokenPorts>): HttpHandler => {
  const [introspect, revoke] = [createIntrospect(wiring), createRevokeToken(wiring)]
  return (event) => (event.rawPath.endsWith('/revoke') ? revoke : introspect)(event)
}
