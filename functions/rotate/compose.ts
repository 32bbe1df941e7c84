// rotate on AWS: pairs made by KMS, unseen; rows of each tenant through that tenant's session; the owner of
// its use activates what was made.
import type { KMSClient } from '@aws-sdk/client-kms'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { startTimeMark } from '../../lib/adapters/aws/dynamo-time-mark.ts'
import { createTieredKeyPairs } from '../../lib/adapters/aws/kms-tiers.ts'
import { createLambdaActivation } from '../../lib/adapters/aws/lambda-activation.ts'
import { clientOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { createKeyMaker } from '../../lib/adapters/keys/key-maker.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { createMarkedClock } from '../../lib/flows/guard-clock.ts'
import { activationByOwner } from '../../lib/flows/keys/activate-key.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const ROTATE_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_MINT_FUNCTION',
  'MINTMARK_FEED_FUNCTION',
  'MINTMARK_CHECKPOINT_FUNCTION',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_POOL_KEY',
] as const

export type RotateClients = TenantTableClients & {
  readonly kmsAs: (credentials: ClientPlace['credentials']) => KMSClient
  readonly lambda: LambdaClient
}

export const createRotate = (
  environment: Environment<(typeof ROTATE_ENVIRONMENT)[number]>,
  { kmsAs, lambda, ...clients }: RotateClients,
) => {
  const log = createLogger('rotate')
  const name = environment.MINTMARK_CORE_TABLE
  const { sessions, table } = openTenantTable(name, environment.MINTMARK_DATA_ROLE, clients)
  const configs = createTenantConfigStore(table)
  const tenants = createTenants({ configs, baseUrl: environment.MINTMARK_BASE_URL, log })
  const wrapping = { kms: clientOfTenants(sessions, kmsAs), wrappingKey: environment.MINTMARK_POOL_KEY }
  const marked = createMarkedClock({
    clock,
    start: () => startTimeMark({ table: tableOf(name, clients.dynamo), clock }),
  })
  const rotation = {
    store: createSigningKeyStore(table),
    maker: createKeyMaker(createTieredKeyPairs(wrapping, tenants)),
    activation: activationByOwner({
      token: createLambdaActivation({ client: lambda, functionName: environment.MINTMARK_MINT_FUNCTION }),
      signal: createLambdaActivation({ client: lambda, functionName: environment.MINTMARK_FEED_FUNCTION }),
      log: createLambdaActivation({ client: lambda, functionName: environment.MINTMARK_CHECKPOINT_FUNCTION }),
    }),
    clock,
    ring: null,
  }
  // One tenant at a time: the owners of keys have room for one call of rotate (infra/timeouts.ts).
  const open = async () => ({
    configs,
    tenants,
    rotation: { ...rotation, clockGuard: await marked.guard() },
    atOnce: 1,
  })
  return createHandler(open, log)
}
