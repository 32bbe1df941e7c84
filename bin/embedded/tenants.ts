// The tenants that are served: their documents applied at the start, and the directory everybody reads them from.
import { createTenantDirectory, whileUnmoved } from '../../lib/adapters/config/tenant-directory.ts'
import { keepBaseUrl } from '../../lib/adapters/sqlite/broker-place.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import { applyTenants, blocksLeft } from '../../lib/flows/tenants/apply-tenants.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import { authorOf } from '../commands/apply.ts'
import type { Place } from '../policy/compile-options.ts'
import type { BrokerOptions } from './broker-options.ts'
import { compileStored } from './compile.ts'
import type { Ops } from './ops.ts'
import { embeddedCut } from './revocation.ts'

type ApplyPorts = Parameters<typeof applyTenants>[0]
export type Documents = Parameters<typeof applyTenants>[1]

type TenantsOptions = {
  readonly database: Database
  readonly clock: Clock
  readonly place: Place
  readonly meter: Ops['meter'] | undefined
  readonly log: ReturnType<typeof createLogger>
}

export const serveTenants = async (
  options: BrokerOptions,
  documents: Documents,
  { database, clock, place, meter, log }: TenantsOptions,
) => {
  await keepBaseUrl(database, place.baseUrl)
  const configs = createTenantConfigStore(database)
  const cut = embeddedCut(database, options.dataDir)
  await applyDocuments(options, { configs, clock, cut }, documents)
  const tenants = createTenantDirectory({
    configs,
    validity: whileUnmoved(() => database.controlThisTurn()),
    compile: (version) => compileStored(version, place),
    onUnusable: (tenant, version) => log.error('stored configuration is not usable', { tenant, version }),
  })
  const served = (await configs.list()).filter(({ tombstonedAtSeconds }) => tombstonedAtSeconds === null)
  meter?.knowTenants(
    tenants.peek,
    served.map(({ tenant }) => tenant),
  )
  return { configs, tenants }
}

const applyDocuments = async (
  { tenantsDir, warn }: BrokerOptions,
  ports: ApplyPorts,
  documents: Documents,
): Promise<void> => {
  const report = await applyTenants(ports, documents, authorOf(tenantsDir))
  for (const { tenant, outcome, narrowed } of report.applied) {
    for (const { kind, value } of narrowed)
      warn(`${tenant}: ${kind} ${value} allows less than before: what it issued is cut`)
    if (outcome === 'rolled_back') warn(`WARNING: ${tenant} went back to a document that was current before`)
    if (outcome === 'refused_tombstone') warn(`WARNING: ${tenant} was removed; its document is not applied`)
  }
  for (const warning of report.applied.flatMap(blocksLeft)) warn(`WARNING: ${warning}`)
  for (const tenant of report.missing)
    warn(`${tenant} is in the store but in no file of --tenants; it is served as it was`)
}
