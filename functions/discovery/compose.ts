// discovery on AWS: configuration and public keys of a tenant through that tenant's session, which can read nothing else of it.
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { Environment } from '../../lib/config/environment.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { issuedTokenTypes } from '../../lib/wire/metadata.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const DISCOVERY_ENVIRONMENT = ['MINTMARK_BASE_URL', 'MINTMARK_CORE_TABLE', 'MINTMARK_DATA_ROLE'] as const

export const createDiscovery = (
  environment: Environment<(typeof DISCOVERY_ENVIRONMENT)[number]>,
  clients: TenantTableClients,
): HttpHandler => {
  const log = createLogger('discovery')
  const { table } = openTenantTable(environment.MINTMARK_CORE_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const tenants = createTenants({
    configs: createTenantConfigStore(table),
    baseUrl: environment.MINTMARK_BASE_URL,
    log,
  })
  return createHandler({
    ports: { tenants, keys: createSigningKeyStore(table) },
    tokenTypes: issuedTokenTypes({ hasCloudSessions: true }),
    takesOwnTokens: false,
    digest: nodeDigest,
    log,
  })
}
