// feed on AWS: changes, handles and signal keys of a tenant through that tenant's session, which alone may unwrap them.
import type { KMSClient } from '@aws-sdk/client-kms'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createReceivers } from '../../lib/adapters/aws/dynamo-receivers.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationChanges } from '../../lib/adapters/aws/dynamo-revocation-changes.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantState } from '../../lib/adapters/aws/dynamo-tenant-state.ts'
import { startTimeMark } from '../../lib/adapters/aws/dynamo-time-mark.ts'
import { createTieredKeyVault, withoutNewSecrets } from '../../lib/adapters/aws/kms-tiers.ts'
import { clientOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { createMemoryRateLimiter } from '../../lib/adapters/memory/rate-limiter.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { createMarkedClock } from '../../lib/flows/guard-clock.ts'
import { createFeed, type Feed } from '../../lib/flows/revocation/publish-feed.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const FEED_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_POOL_KEY',
] as const

export type FeedClients = TenantTableClients & {
  /** With the credentials of a tenant's session. */
  readonly kmsAs: (credentials: ClientPlace['credentials']) => KMSClient
}

export const createFeedFunction = (
  environment: Environment<(typeof FEED_ENVIRONMENT)[number]>,
  { kmsAs, ...clients }: FeedClients,
) => {
  const log = createLogger('feed')
  const name = environment.MINTMARK_CORE_TABLE
  const { sessions, table } = openTenantTable(name, environment.MINTMARK_DATA_ROLE, clients)
  const store = createSigningKeyStore(table)
  const vault = withoutNewSecrets(
    createTieredKeyVault({ kms: clientOfTenants(sessions, kmsAs), wrappingKey: environment.MINTMARK_POOL_KEY }),
  )
  const configs = createTenantConfigStore(table)
  const ports = {
    tenants: createTenants({ configs, baseUrl: environment.MINTMARK_BASE_URL, log }),
    changes: createRevocationChanges(table),
    keys: createLocalKeyRing({ store, vault, clock, use: 'signal' }),
    state: createTenantState(table),
    clock,
    // Of this instance alone.
    rates: createMemoryRateLimiter(clock),
  }
  const shared = tableOf(name, clients.dynamo)
  const marked = createMarkedClock({ clock, start: () => startTimeMark({ table: shared, clock }) })
  let feed: Feed | undefined
  return createHandler({
    async open() {
      const clockGuard = await marked.guard()
      feed ??= createFeed({ ...ports, clockGuard })
      return feed
    },
    signing: { ...ports, digest: nodeDigest, receivers: createReceivers(table) },
    activation: { store, prover: createKeyProver(vault), clock, use: 'signal' },
    log,
  })
}
