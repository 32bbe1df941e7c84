// introspect: POST /t/{tenant}/introspect for resource servers. Reads only; has no key that signs and none that opens one.
import { endpoint } from '../../lib/edge/endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { introspectEndpoint } from '../../lib/edge/introspect-endpoint.ts'
import type { CallerPorts } from '../../lib/flows/authorize-caller.ts'
import { introspectToken } from '../../lib/flows/introspect-token.ts'

type Wiring = { readonly ports: CallerPorts; readonly log: Parameters<typeof endpoint>[2] }

export const createIntrospect = ({ ports, log }: Wiring): HttpHandler =>
  endpoint(
    'introspect',
    introspectEndpoint({ act: (asked) => introspectToken(ports, asked), newTraceId: ports.ids.traceId }),
    log,
  )
