// trust: on a schedule, and when a key id is unknown. The only function that fetches issuers' documents, and the only writer
// of the key cache. Takes a registered source, never a URL, from its caller.
import { invocation } from '../../lib/edge/invocation.ts'
import { createTrust, type TrustPorts } from '../../lib/flows/refresh-issuer-keys.ts'
import { refreshNamedIssuer } from '../../lib/flows/refresh-named-issuer.ts'
import type { Trust } from '../../lib/ports/issuer-keys.ts'
import type { TenantDirectory } from '../../lib/ports/tenants.ts'
import { readTrustRequest, writeTrustReply } from '../../lib/wire/trust-invocation.ts'

/** Called in one process with attest. */
export const createHandler = (ports: TrustPorts): Trust => createTrust(ports)

type InvokedPorts = TrustPorts & { readonly tenants: Pick<TenantDirectory, 'current'> }

/** Invoked with JSON. */
export const createInvoked = (ports: InvokedPorts, log: Parameters<typeof invocation>[0]['log']) => {
  const asked = { tenants: ports.tenants, trust: createTrust(ports) }
  return invocation({
    name: 'trust',
    read: readTrustRequest,
    handle: (request) => refreshNamedIssuer(asked, request),
    reply: writeTrustReply,
    log,
  })
}
