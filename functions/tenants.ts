// The tenants as every function on AWS sees them: stored documents, compiled for the base URL of the deployment and kept for
// some seconds. What is decided by them is checked against the current version by mint, strongly, before it signs.
import { createTenantDirectory, forSeconds, type Validity } from '../lib/adapters/config/tenant-directory.ts'
import { systemClock } from '../lib/adapters/system/clock.ts'
import { nodeDigest } from '../lib/adapters/system/digest.ts'
import type { TenantConfig } from '../lib/domain/tenant-config.ts'
import type { FoundTenants, TenantConfigStore, TenantDirectory } from '../lib/ports/tenants.ts'
import { PROVIDER_CATALOG } from '../lib/providers/catalog.ts'
import { compileStored } from '../lib/wire/compile-stored.ts'
import type { BrokerPlace } from '../lib/wire/tenant-urls.ts'

/** An http base URL is that of an emulator on this machine. */
export const placeOf = (baseUrl: string): BrokerPlace => ({ baseUrl, dev: baseUrl.startsWith('http:') })

type Options = {
  readonly configs: Pick<TenantConfigStore, 'latest'>
  readonly baseUrl: string
  readonly log: { error(message: string, fields: Record<string, unknown>): void }
  /** Absent: for some seconds. */
  readonly validity?: Validity
  /** Told of each configuration that is compiled. */
  readonly learn?: (config: TenantConfig) => void
}

export const createTenants = ({ configs, baseUrl, log, validity, learn }: Options): TenantDirectory & FoundTenants => {
  const options = { ...placeOf(baseUrl), catalog: PROVIDER_CATALOG, sha256: nodeDigest.sha256 }
  return createTenantDirectory({
    configs,
    // Design §3: what was added waits this long, what was removed does not.
    validity: validity ?? forSeconds(systemClock),
    compile(version) {
      const config = compileStored(version, options)
      if (config !== null) learn?.(config)
      return config
    },
    onUnusable: (tenant, version) => log.error('stored configuration is not usable', { tenant, version }),
  })
}
