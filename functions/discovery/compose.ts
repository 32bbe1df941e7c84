// discovery on AWS: configuration and public keys of a tenant through that tenant's session, which can read nothing else of it;
// pages of the revocation feed as feed signs them; the public part of the tenant's log.
import type { LambdaClient } from '@aws-sdk/client-lambda'
import { createPublicLog } from '../../lib/adapters/aws/dynamo-public-log.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createLambdaFeed } from '../../lib/adapters/aws/lambda-feed.ts'
import { logJwks, logVerifierKeys, nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { createMemoryRateLimiter } from '../../lib/adapters/memory/rate-limiter.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { Environment } from '../../lib/config/environment.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { admitMirror, admitSource } from '../../lib/flows/admit-source.ts'
import { issuedTokenTypes } from '../../lib/wire/metadata.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createFeedHandler, createHandler } from './handler.ts'
import { createLogHandler } from './log-handler.ts'

export const DISCOVERY_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_LOG_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_FEED_FUNCTION',
] as const

export type DiscoveryClients = TenantTableClients & { readonly lambda: LambdaClient }

export const createDiscovery = (
  environment: Environment<(typeof DISCOVERY_ENVIRONMENT)[number]>,
  { lambda, ...clients }: DiscoveryClients,
): HttpHandler => {
  const log = createLogger('discovery')
  const { table } = openTenantTable(environment.MINTMARK_CORE_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const tenants = createTenants({
    configs: createTenantConfigStore(table),
    baseUrl: environment.MINTMARK_BASE_URL,
    log,
  })
  const keys = createSigningKeyStore(table)
  const documents = createHandler({
    ports: { tenants, keys },
    tokenTypes: issuedTokenTypes({ hasCloudSessions: true }),
    takesOwnTokens: true,
    digest: nodeDigest,
    log,
  })
  // Of this instance alone: over all of them the WAF counts, and caches in front answer most.
  const rates = createMemoryRateLimiter(systemClock)
  const admit = admitSource(rates)
  const asked = createLambdaFeed({ client: lambda, functionName: environment.MINTMARK_FEED_FUNCTION })
  const feed = createFeedHandler({ feed: asked, tenants, admitSource: admit }, log)
  const published = createPublicLog({ ...table, name: environment.MINTMARK_LOG_TABLE }, nodeSha256)
  const logs = createLogHandler(
    {
      ...published,
      async verifierKeys(tenant) {
        const origin = (await published.about(tenant))?.origin
        return origin === undefined ? [] : logVerifierKeys(keys, tenant, origin)
      },
      jwks: (tenant) => logJwks(keys, tenant),
      admitSource: admitMirror(rates),
    },
    log,
  )
  return (event) => {
    if (event.rawPath.startsWith('/t/') && event.rawPath.split('/')[3] === 'log') return logs(event)
    return (event.rawPath.endsWith('/revocations') ? feed : documents)(event)
  }
}
