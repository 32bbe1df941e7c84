// Counts exchanges where they pass: around the token endpoint, at the mouth of mint, and on the way of denials. A few integers
// are added for each; nothing waits.
import {
  countAnswer,
  countDenial,
  countIssued,
  countsOf,
  type ExchangeCounts,
  newExchangeCounts,
  UNKNOWN_TENANT,
} from '../domain/exchange-counts.ts'
import type { Denial } from '../domain/grant-record.ts'
import type { TenantConfig } from '../domain/tenant-config.ts'
import { type GrantType, TYPE_AWS_CREDENTIALS } from '../domain/token-request.ts'
import type { ProviderName } from '../domain/wid.ts'
import type { HttpDoor, HttpHandler } from './http.ts'

/** The configuration of a tenant where it is at hand; null or undefined: there is none, or it would have to be read. */
type PeekTenant = (tenant: string) => TenantConfig | null | undefined

export type ExchangeMeter = ReturnType<typeof createExchangeMeter>

/** `keepsValues`: durations as they were, for whoever takes the counts. */
export const createExchangeMeter = (keepsValues = false) => {
  let counts = newExchangeCounts(keepsValues)
  let peek: PeekTenant = () => undefined
  countsOf(counts, UNKNOWN_TENANT, () => false)
  const isRegistered = (tenant: string): boolean => Boolean(peek(tenant))
  return {
    counts: (): ExchangeCounts => counts,
    /** What was counted since the last time; counting begins anew, but for what is in flight. */
    take(): ExchangeCounts {
      const taken = counts
      counts = { ...newExchangeCounts(keepsValues), inFlight: taken.inFlight }
      return taken
    },
    /** Until it is called, nobody is registered. `tenants`: whose series begin at zero, or a rate would miss their first event. */
    knowTenants(known: PeekTenant, tenants: readonly string[] = []) {
      peek = known
      for (const tenant of tenants) countsOf(counts, tenant, () => true)
    },
    /** ExchangePorts.meter: told of each credential as it is issued. */
    issued(
      tenant: string,
      provider: ProviderName,
      grantType: GrantType,
      { issuedTokenType, scope }: { readonly issuedTokenType: string; readonly scope: string },
    ) {
      const type = issuedTokenType === TYPE_AWS_CREDENTIALS ? 'aws-credentials' : 'access_token'
      countIssued(countsOf(counts, tenant, isRegistered), provider, grantType, { type, scope })
    },
    countExchanges:
      (handler: HttpHandler): HttpHandler =>
      async (event) => {
        const began = performance.now()
        counts.inFlight += 1
        let status = 500
        try {
          const answer = await handler(event)
          status = answer.statusCode
          return answer
        } finally {
          counts.inFlight -= 1
          const of = countsOf(counts, tenantIn(event.rawPath), isRegistered)
          countAnswer(counts, of, status, (performance.now() - began) / 1000)
        }
      },
    /** What is refused at the door was never in flight, and takes no time worth a measurement. */
    countRefusedAtDoor:
      (door: HttpDoor): HttpDoor =>
      (head) => {
        const answer = door(head)
        if (answer !== null)
          countAnswer(counts, countsOf(counts, tenantIn(head.rawPath), isRegistered), answer.statusCode, 0)
        return answer
      },
    countDenials: <Queue extends { send(denial: Denial): void }>(queue: Queue): Queue => ({
      ...queue,
      send(denial) {
        const { tenant, issuerName } = denial
        const issuers = issuerName === null ? undefined : peek(tenant)?.issuers
        const provider = issuers?.find(({ name }) => name === issuerName)?.provider ?? 'unknown'
        countDenial(counts, countsOf(counts, tenant, isRegistered), denial, provider)
        queue.send(denial)
      },
    }),
  }
}

/** `/t/acme/token`: acme. Routes have been matched before: what is not such a path is no tenant, and is counted so. */
const tenantIn = (path: string): string => path.slice(3, path.indexOf('/', 3))
