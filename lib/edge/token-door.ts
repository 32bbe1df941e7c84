// POST /t/{tenant}/token before a byte of its body is read, where a host can ask: a source over its rate (L1), a tenant that is known to be
// none, and a source that goes on asking for a tenant whose rate has just refused it, are answered from the head alone. Nothing is parsed,
// and no turn is taken.
import { sourceKey } from '../domain/source-key.ts'
import { traceIdOf } from '../domain/trace.ts'
import { tooMany } from './form-request.ts'
import { type HttpDoor, tenantOfPath } from './http.ts'
import { notFound, type RefuseUnread, refuseSource, renderExchanged } from './token-endpoint.ts'

export type TokenDoorOptions = RefuseUnread & {
  /** Limit L1: seconds to wait, or null to go on. */
  readonly admitSource: (source: string) => number | null
  /** Whether a path is known to name no tenant. */
  readonly isAbsent: (tenant: string) => boolean
  /** Whether it is known to name one: what was never looked up is none, for a flood can make up any number of names. */
  readonly isTenant: (tenant: string) => boolean
  /** Seconds for which this source is not read when it names this tenant, or null. */
  readonly pausedFor: (source: string, tenant: string) => number | null
}

export const tokenDoor =
  (options: TokenDoorOptions): HttpDoor =>
  ({ rawPath, headers, requestContext }) => {
    const { admitSource, isAbsent, isTenant, pausedFor, refuseUnread, newTraceId } = options
    const source = sourceKey(requestContext.http.sourceIp)
    const waitSeconds = admitSource(source)
    const tenant = tenantOfPath(rawPath)
    if (waitSeconds !== null)
      return tenant !== null && isTenant(tenant)
        ? refuseSource(options, { tenant, source, headers }, waitSeconds)
        : tooMany(waitSeconds)
    if (tenant === null || isAbsent(tenant)) return notFound()
    const pausedSeconds = pausedFor(source, tenant)
    if (pausedSeconds === null) return null
    const traceId = traceIdOf(headers['traceparent']) ?? newTraceId()
    // Held, as what paused it was: or whoever is refused for less work would ask more often.
    return {
      ...renderExchanged(refuseUnread({ tenant, source, traceId }, 'rate_limited_tenant', pausedSeconds)),
      isHeld: true,
    }
  }
