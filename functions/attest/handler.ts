// attest: POST /t/{tenant}/token. Wires the token endpoint to the exchange; adapters come from whoever hosts it.
import { endpoint } from '../../lib/edge/endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { ofKnownTenant } from '../../lib/edge/known-tenant.ts'
import { type TokenEndpointOptions, tokenEndpoint } from '../../lib/edge/token-endpoint.ts'
import { type ExchangePorts, exchangeToken } from '../../lib/flows/exchange-token.ts'

type Wiring = {
  readonly ports: ExchangePorts
  readonly http: Omit<TokenEndpointOptions, 'exchange'>
  readonly log: Parameters<typeof endpoint>[2]
  /** What must be durable before the answer goes out: where nothing runs on after it, the denial of this request. */
  readonly settle?: () => Promise<void>
}

export const createHandler = ({ ports, http, log, settle }: Wiring): HttpHandler =>
  endpoint(
    'attest',
    ofKnownTenant(ports.tenants, tokenEndpoint({ ...http, exchange: (request) => exchangeToken(ports, request) })),
    log,
    settle,
  )
