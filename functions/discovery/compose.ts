// discovery on AWS: configuration and public keys of a tenant through that tenant's session, which can read nothing else of it.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { STSClient } from '@aws-sdk/client-sts'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantSessions, tableOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { Environment } from '../../lib/config/environment.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { issuedTokenTypes } from '../../lib/wire/metadata.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const DISCOVERY_ENVIRONMENT = ['MINTMARK_BASE_URL', 'MINTMARK_CORE_TABLE', 'MINTMARK_DATA_ROLE'] as const

export type DiscoveryClients = {
  readonly dynamo: DynamoDBClient
  readonly dynamoAs: (credentials: ClientPlace['credentials']) => DynamoDBClient
  readonly sts: STSClient
}

export const createDiscovery = (
  environment: Environment<(typeof DISCOVERY_ENVIRONMENT)[number]>,
  { dynamo, dynamoAs, sts }: DiscoveryClients,
): HttpHandler => {
  const log = createLogger('discovery')
  const sessions = createTenantSessions({ sts, roleArn: environment.MINTMARK_DATA_ROLE, clock })
  const table = tableOfTenants({
    name: environment.MINTMARK_CORE_TABLE,
    sessions,
    connect: dynamoAs,
    own: dynamo,
  })
  const tenants = createTenants({
    configs: createTenantConfigStore(table),
    baseUrl: environment.MINTMARK_BASE_URL,
    log,
  })
  return createHandler({
    ports: { tenants, keys: createSigningKeyStore(table) },
    tokenTypes: issuedTokenTypes({ hasCloudSessions: true }),
    digest: nodeDigest,
    log,
  })
}
