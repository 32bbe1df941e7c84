// trust: on a schedule, and when a key id is unknown. The only function that fetches issuers' documents, and the only writer
// of the key cache. Takes a registered source, never a URL, from its caller.
import { invocation } from '../../lib/edge/invocation.ts'
import { createTrust, type TrustPorts } from '../../lib/flows/issuers/refresh-issuer-keys.ts'
import { refreshNamedIssuer } from '../../lib/flows/issuers/refresh-named-issuer.ts'
import { type RefreshTenantsPorts, refreshTenants } from '../../lib/flows/issuers/refresh-tenants.ts'
import type { Trust } from '../../lib/ports/issuer-keys.ts'
import type { TenantDirectory } from '../../lib/ports/tenants.ts'
import { isScheduled } from '../../lib/wire/lambda-events.ts'
import { readTrustRequest, writeTrustReply } from '../../lib/wire/trust-invocation.ts'

/** Called in one process with attest. */
export const createHandler = (ports: TrustPorts): Trust => createTrust(ports)

type InvokedPorts = RefreshTenantsPorts & {
  readonly tenants: Pick<TenantDirectory, 'current'>
  readonly trust: Trust
}

/** Invoked with JSON, or by the schedule. */
export const createInvoked = (ports: InvokedPorts, log: Parameters<typeof invocation>[0]['log']) => {
  const asked = invocation({
    name: 'trust',
    read: readTrustRequest,
    handle: (request) => refreshNamedIssuer(ports, request),
    reply: writeTrustReply,
    log,
  })
  return async (event: unknown): Promise<unknown> => {
    if (!isScheduled(event)) return asked(event)
    const { fetched, failed } = await refreshTenants(ports)
    if (failed.length > 0) log.error('issuers of tenants could not be looked at', { tenants: failed })
    return { fetched, failed: failed.length }
  }
}
