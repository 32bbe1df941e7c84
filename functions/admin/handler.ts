// admin: `/t/{tenant}/admin/…` for operators of that tenant. Reads, and gives orders to the queue; trust is not edited here.
import { adminEndpoint } from '../../lib/edge/admin-endpoint.ts'
import { endpoint } from '../../lib/edge/endpoint.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { ofKnownTenant } from '../../lib/edge/known-tenant.ts'
import { type AdminPorts, administerTenant } from '../../lib/flows/tenants/administer-tenant.ts'

type Wiring = {
  readonly ports: AdminPorts
  readonly log: Parameters<typeof endpoint>[2]
  /** What must be durable before the answer goes out: where nothing runs on after it, the denial of this request. */
  readonly settle?: () => Promise<void>
}

export const createHandler = ({ ports, log, settle }: Wiring): HttpHandler =>
  endpoint(
    'admin',
    ofKnownTenant(
      ports.tenants,
      adminEndpoint({ act: (...asked) => administerTenant(ports, ...asked), newTraceId: ports.ids.traceId }),
    ),
    log,
    settle,
  )
