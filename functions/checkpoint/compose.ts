// checkpoint on AWS: the end of each log that has grown, its log key, its place in the locked bucket and its webhooks through the
// session of its tenant, which alone may unwrap and read them.
import type { KMSClient } from '@aws-sdk/client-kms'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createAnchorRecords } from '../../lib/adapters/aws/dynamo-anchor-records.ts'
import { createLogList } from '../../lib/adapters/aws/dynamo-log-list.ts'
import { createPublicLog } from '../../lib/adapters/aws/dynamo-public-log.ts'
import { unhurried } from '../../lib/adapters/aws/dynamo-request.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import { createTieredKeyVault } from '../../lib/adapters/aws/kms-tiers.ts'
import { createS3Anchor } from '../../lib/adapters/aws/s3-anchor.ts'
import type { S3Objects } from '../../lib/adapters/aws/s3-objects.ts'
import { clientOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { createLogSigner, createMessageSigner, nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { webhooksIn } from '../../lib/wire/sinks-on-aws.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createHandler } from './handler.ts'

export const CHECKPOINT_ENVIRONMENT = [
  'MINTMARK_CORE_TABLE',
  'MINTMARK_LOG_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_POOL_KEY',
  'MINTMARK_ARCHIVE_BUCKET',
] as const

export type CheckpointClients = TenantTableClients & {
  /** With the credentials of a tenant's session. */
  readonly kmsAs: (credentials: ClientPlace['credentials']) => KMSClient
  readonly s3As: (credentials: ClientPlace['credentials']) => S3Objects
}

export const createCheckpoint = (
  environment: Environment<(typeof CHECKPOINT_ENVIRONMENT)[number]>,
  { kmsAs, s3As, ...clients }: CheckpointClients,
) => {
  const opened = openTenantTable(environment.MINTMARK_LOG_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const table = unhurried(opened.table)
  const core = { ...opened.table, name: environment.MINTMARK_CORE_TABLE }
  const keyStore = createSigningKeyStore(core)
  const kms = clientOfTenants(opened.sessions, kmsAs)
  const vault = createTieredKeyVault({ kms, wrappingKey: environment.MINTMARK_POOL_KEY })
  const keys = createLocalKeyRing({ store: keyStore, vault, clock, use: 'log' })
  const bucket = environment.MINTMARK_ARCHIVE_BUCKET
  return createHandler({
    ports: {
      store: createTenantLog(table, nodeSha256),
      grown: createLogList(table),
      log: createPublicLog(table, nodeSha256),
      signer: createLogSigner(keyStore, keys),
      anchors: [createS3Anchor({ bucket, objectsOf: clientOfTenants(opened.sessions, s3As) })],
      records: createAnchorRecords(table),
      sha256: nodeSha256,
      clock,
    },
    signing: { configs: createTenantConfigStore(core), webhooksIn, signer: createMessageSigner(keyStore, keys, clock) },
    activation: { store: keyStore, prover: createKeyProver(vault), clock, use: 'log' },
    log: createLogger('checkpoint'),
  })
}
