// discovery: GET of a tenant's metadata, key sets and revocation feed. Has no private key and no way to one: pages of the feed are
// signed by the half of revoke that is asked for them.
import { discoveryEndpoint } from '../../lib/edge/discovery-endpoint.ts'
import { endpoint } from '../../lib/edge/endpoint.ts'
import { type FeedEndpointOptions, feedEndpoint } from '../../lib/edge/feed-endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { ofKnownTenant } from '../../lib/edge/known-tenant.ts'
import { type PublishPorts, publishDiscovery } from '../../lib/flows/keys/publish-discovery.ts'
import type { Digest } from '../../lib/ports/system.ts'

type Wiring = {
  readonly ports: PublishPorts
  readonly tokenTypes: readonly string[]
  readonly takesOwnTokens: boolean
  readonly digest: Digest
  readonly log: Parameters<typeof endpoint>[2]
}

export const createHandler = ({ ports, digest, log, ...documents }: Wiring): HttpHandler =>
  endpoint(
    'discovery',
    ofKnownTenant(
      ports.tenants,
      discoveryEndpoint({ publish: (tenant) => publishDiscovery(ports, tenant), ...documents, digest: digest.sha256 }),
    ),
    log,
  )

type FeedWiring = FeedEndpointOptions & Pick<PublishPorts, 'tenants'>

export const createFeedHandler = ({ tenants, ...options }: FeedWiring, log: Wiring['log']): HttpHandler =>
  endpoint('discovery', ofKnownTenant(tenants, feedEndpoint(options)), log)
