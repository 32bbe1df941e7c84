// push on AWS: what receivers are owed through each tenant's session, SETs from feed, out through the guarded client.
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createReceivers } from '../../lib/adapters/aws/dynamo-receivers.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createLambdaSets } from '../../lib/adapters/aws/lambda-sets.ts'
import { createManagedSecrets } from '../../lib/adapters/aws/secrets-manager.ts'
import { createSqsQuarantine } from '../../lib/adapters/aws/sqs-queue.ts'
import { createSqsWakes } from '../../lib/adapters/aws/sqs-wakes.ts'
import { clientOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import type { OutboundHttp } from '../../lib/ports/outbound-http.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const PUSH_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_FEED_FUNCTION',
  'MINTMARK_PUSH_QUEUE',
  'MINTMARK_QUARANTINE_QUEUE',
] as const

export type PushClients = TenantTableClients & {
  readonly http: Pick<OutboundHttp, 'post'>
  readonly lambda: LambdaClient
  readonly sqs: SQSClient
  /** With the credentials of a tenant's session. */
  readonly secretsAs: (credentials: ClientPlace['credentials']) => SecretsManagerClient
}

export const createPush = (
  environment: Environment<(typeof PUSH_ENVIRONMENT)[number]>,
  { http, lambda, sqs, secretsAs, ...clients }: PushClients,
) => {
  const log = createLogger('push')
  const { sessions, table } = openTenantTable(environment.MINTMARK_CORE_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const configs = createTenantConfigStore(table)
  return createHandler({
    ports: {
      source: createLambdaSets({ client: lambda, functionName: environment.MINTMARK_FEED_FUNCTION }, nodeDigest),
      tenants: createTenants({ configs, baseUrl: environment.MINTMARK_BASE_URL, log }),
      receivers: createReceivers(table),
      http,
      secrets: createManagedSecrets(clientOfTenants(sessions, secretsAs)),
      wakes: createSqsWakes({ client: sqs, queueUrl: environment.MINTMARK_PUSH_QUEUE }),
      clock,
      random: Math.random,
      // Of this instance: no other has the lease that it has.
      holder: createIds(clock).decisionId(),
      isStopping: () => false,
    },
    quarantine: createSqsQuarantine({ client: sqs, queueUrl: environment.MINTMARK_QUARANTINE_QUEUE }),
    log,
  })
}
