// Drops what tenants no longer keep of their logs (`audit: { keep_days: … }`). A clock that jumped ahead would drop too much, and
// nothing brings it back: it has to be trusted.
import type { Clock } from '../../ports/clock.ts'
import type { Expired, LogRetention } from '../../ports/tenant-log.ts'
import type { TenantConfigStore, TenantDirectory } from '../../ports/tenants.ts'
import type { ClockGuard } from '../guard-clock.ts'

const DAY_SECONDS = 24 * 3600

export type ExpirePorts = {
  readonly retention: Pick<LogRetention, 'expire'>
  /** Those that have a log. */
  readonly tenants: () => Promise<readonly string[]>
  readonly directory: Pick<TenantDirectory, 'current'>
  readonly clock: Pick<Clock, 'nowSeconds'>
  readonly clockGuard: Pick<ClockGuard, 'isTrusted'>
}

/** How many events went, of each tenant that lost some. Throws Unavailable: what is left is found by the next run. */
export const expireEvents = async (
  ports: ExpirePorts,
): Promise<readonly { readonly tenant: string; readonly events: number }[]> => {
  if (!ports.clockGuard.isTrusted()) return []
  const expired: { readonly tenant: string; readonly events: number }[] = []
  for (const tenant of await ports.tenants()) {
    const config = await ports.directory.current(tenant)
    if (config === null || config.auditKeepSeconds === null) continue
    const sinks = config.sinks.map(({ name }) => name)
    const events = await ports.retention.expire(tenant, ports.clock.nowSeconds() - config.auditKeepSeconds, sinks)
    if (events > 0) expired.push({ tenant, events })
  }
  return expired
}

/**
 * Whether any version of the tenant's document let go of what is said to have expired. Who writes `audit.db` alone cannot drop
 * events of a tenant that keeps them. The age is the log's own word.
 */
export const isExpiryDue = async (
  { configs, clock }: { readonly configs: Pick<TenantConfigStore, 'version'> } & Pick<ExpirePorts, 'clock'>,
  tenant: string,
  { atSeconds }: Pick<Expired, 'atSeconds'>,
): Promise<boolean> => {
  for (let number = 1; ; number += 1) {
    const version = await configs.version(tenant, number)
    if (version === null) return false
    const { audit } = JSON.parse(version.document) as { readonly audit?: { readonly keep_days: number } }
    if (audit !== undefined && atSeconds <= clock.nowSeconds() - audit.keep_days * DAY_SECONDS) return true
  }
}
