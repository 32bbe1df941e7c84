// An endpoint refuses method, media type and size before it looks anything up; here the tenant is looked up then, so that a name
// that is none is 404 whatever was asked of it (design §4).
import { type HttpHandler, notFound, tenantOfPath } from './http.ts'

/** The part of the port that says whether there is such a tenant. */
type Tenants = { current(tenant: string): Promise<object | null> }

const OF_THE_REQUEST: ReadonlySet<number> = new Set([405, 413, 415])

export const ofKnownTenant =
  (tenants: Tenants, handler: HttpHandler): HttpHandler =>
  async (event) => {
    const answer = await handler(event)
    if (!OF_THE_REQUEST.has(answer.statusCode)) return answer
    // Metadata has its well-known part in front of the tenant (RFC 8414 §3.1).
    const tenant = tenantOfPath(event.rawPath.slice(event.rawPath.indexOf('/t/')))
    const isKnown = tenant !== null && (await tenants.current(tenant)) !== null
    return isKnown ? answer : notFound()
  }
