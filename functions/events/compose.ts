// events on AWS: what is reported over HTTP, and findings from their queue, become orders on the queue of revoke. Keys of
// transmitters are rows that trust wrote; a tenant's records, secrets and received events are reached through its session.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createIssuerKeyStore } from '../../lib/adapters/aws/dynamo-issuer-key-store.ts'
import { createRecordLookup } from '../../lib/adapters/aws/dynamo-records.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createSecurityEvents } from '../../lib/adapters/aws/dynamo-security-events.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createLambdaTrust } from '../../lib/adapters/aws/lambda-trust.ts'
import { createManagedSecrets } from '../../lib/adapters/aws/secrets-manager.ts'
import { createSqsQuarantine, createSqsQueue } from '../../lib/adapters/aws/sqs-queue.ts'
import { clientOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { importVerifyKey, nodeSignatureVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import { createMemoryRateLimiter } from '../../lib/adapters/memory/rate-limiter.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import type { HttpEvent } from '../../lib/edge/http.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { admitTransmitter } from '../../lib/flows/admit-source.ts'
import { createSourceOwners } from '../../lib/flows/issuers/source-owners.ts'
import type { QueueEvent } from '../../lib/wire/lambda-events.ts'
import { createKeysOfIssuers, rereadNowAndThen } from '../issuer-keys.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createFindings, createHandler } from './handler.ts'

export const EVENTS_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_TRUST_FUNCTION',
  'MINTMARK_ORDERS_QUEUE',
  'MINTMARK_QUARANTINE_QUEUE',
] as const

export type EventsClients = TenantTableClients & {
  readonly dynamo: DynamoDBClient
  readonly lambda: LambdaClient
  readonly sqs: SQSClient
  /** With the credentials of a tenant's session. */
  readonly secretsAs: (credentials: ClientPlace['credentials']) => SecretsManagerClient
}

type EventsEnvironment = Environment<(typeof EVENTS_ENVIRONMENT)[number]>
type Log = ReturnType<typeof createLogger>

export const createEvents = (environment: EventsEnvironment, clients: EventsClients) => {
  const log = createLogger('events')
  const { ports, reread } = openPorts(environment, clients, log)
  const rates = createMemoryRateLimiter(clock)
  const pushed = createHandler({ ports, http: { admit: admitTransmitter(rates) }, log })
  const queueUrl = environment.MINTMARK_QUARANTINE_QUEUE
  const findings = createFindings({ ports, quarantine: createSqsQuarantine({ client: clients.sqs, queueUrl }), log })
  /** One function, two sources. */
  return async (event: HttpEvent | QueueEvent) => {
    await reread()
    return 'Records' in event ? findings(event) : pushed(event)
  }
}

const openPorts = (environment: EventsEnvironment, { lambda, sqs, secretsAs, ...clients }: EventsClients, log: Log) => {
  const name = environment.MINTMARK_CORE_TABLE
  const shared = tableOf(name, clients.dynamo)
  const { sessions, table } = openTenantTable(name, environment.MINTMARK_DATA_ROLE, clients)
  // Of all tenants, as the account a finding names may be anybody's.
  const configs = createTenantConfigStore(shared)
  const owners = createSourceOwners()
  const trust = { client: lambda, functionName: environment.MINTMARK_TRUST_FUNCTION }
  const issuerKeys = createKeysOfIssuers({
    store: createIssuerKeyStore(shared),
    trust: createLambdaTrust(trust, owners.of),
  })
  const ports = {
    configs,
    tenants: createTenants({ configs, baseUrl: environment.MINTMARK_BASE_URL, log, learn: owners.learn }),
    issuerKeys,
    signatures: nodeSignatureVerifier,
    digest: nodeDigest,
    secrets: createManagedSecrets(clientOfTenants(sessions, secretsAs)),
    ownKeys: createSigningKeyStore(table),
    importKey: importVerifyKey,
    decisions: createRecordLookup(table),
    events: createSecurityEvents(table),
    queue: createSqsQueue({ client: sqs, queueUrl: environment.MINTMARK_ORDERS_QUEUE }),
    alarm: createAlarm('events', log),
    clock,
    ids: createIds(clock),
  }
  return { ports, reread: rereadNowAndThen(issuerKeys) }
}
