// deliver on AWS: documents with its own rights, and of each tenant the log, the cursors and the secrets of sinks through that tenant's
// session. What goes out goes through the guarded client, signed by checkpoint where it is signed.
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { createPublicLog } from '../../lib/adapters/aws/dynamo-public-log.ts'
import { tableOf, unhurried } from '../../lib/adapters/aws/dynamo-request.ts'
import { createSinkCursors } from '../../lib/adapters/aws/dynamo-sink-cursors.ts'
import { createSinkErrands } from '../../lib/adapters/aws/dynamo-sink-errands.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createLambdaMessageSigner } from '../../lib/adapters/aws/lambda-message-signer.ts'
import { createManagedSecrets } from '../../lib/adapters/aws/secrets-manager.ts'
import { clientOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { whileListedAlike } from '../../lib/adapters/config/tenant-directory.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { createCollectorSink } from '../../lib/adapters/sinks/collector-sink.ts'
import { createWebhookSink } from '../../lib/adapters/sinks/webhook.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { systemPause as pause } from '../../lib/adapters/system/pause.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { createDeliveries } from '../../lib/flows/audit/run-deliveries.ts'
import { createSinkTargets } from '../../lib/flows/audit/sink-targets.ts'
import type { OutboundHttp } from '../../lib/ports/outbound-http.ts'
import { isOnAws, type RuleOnAws } from '../../lib/wire/sinks-on-aws.ts'
import { tenantIssuerUrl } from '../../lib/wire/tenant-urls.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'

export const DELIVER_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_LOG_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_CHECKPOINT_FUNCTION',
] as const

export type DeliverClients = TenantTableClients & {
  /** With the credentials of a tenant's session. */
  readonly secretsAs: (credentials: ClientPlace['credentials']) => SecretsManagerClient
  readonly http: OutboundHttp
  readonly lambda: LambdaClient
}

export const createDeliver = (
  environment: Environment<(typeof DELIVER_ENVIRONMENT)[number]>,
  { secretsAs, http, lambda, ...clients }: DeliverClients,
) => {
  const log = createLogger('deliver')
  const baseUrl = environment.MINTMARK_BASE_URL
  const own = openTenantTable(environment.MINTMARK_LOG_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  const table = unhurried(own.table)
  const stored = createTenantConfigStore(unhurried(tableOf(environment.MINTMARK_CORE_TABLE, clients.dynamo)))
  const listed = whileListedAlike(stored)
  const directory = createTenants({ configs: stored, validity: listed.validity, baseUrl, log })
  const secrets = createManagedSecrets(clientOfTenants(own.sessions, secretsAs))
  const signer = createLambdaMessageSigner({
    client: lambda,
    functionName: environment.MINTMARK_CHECKPOINT_FUNCTION,
  })
  const makeSink = (rule: RuleOnAws, tenant: string, issuerUrl: string) =>
    rule.type === 'webhook'
      ? createWebhookSink(rule, { http, secrets, signer, tenant, issuerUrl })
      : createCollectorSink(rule, { http, secrets, issuerUrl })
  const cursors = createSinkCursors(table)
  // Of this instance: no other has the lease that it has.
  const holder = createIds(clock).decisionId()
  const deliveries = createDeliveries({
    log: { ...createPublicLog(table, nodeSha256), ...createLogLeaves(table) },
    cursors,
    errands: createSinkErrands(table),
    clock,
    alarm: createAlarm('deliver', log),
    holder,
    targetsOf: createSinkTargets({
      directory,
      issuerUrl: (tenant) => tenantIssuerUrl(baseUrl, tenant),
      make: (rule, tenant, issuerUrl) => (isOnAws(rule) ? makeSink(rule, tenant, issuerUrl) : null),
    }),
    random: Math.random,
    onFailure: ({ tenant, name }) => log.error('a sink could not be served', { tenant, sink: name }),
  })
  return createHandler({ deliveries, configs: listed.configs, cursors, holder, clock, pause })
}
