// revoke on AWS: orders from SQS, which names their sender, into rows of the tenant through that tenant's session.
import type { IAMClient } from '@aws-sdk/client-iam'
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { createDenialLookup } from '../../lib/adapters/aws/dynamo-denials.ts'
import { createGrantStore } from '../../lib/adapters/aws/dynamo-grant-store.ts'
import { createRecordLookup } from '../../lib/adapters/aws/dynamo-records.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createIamSessionDenials } from '../../lib/adapters/aws/iam-session-denials.ts'
import { createSqsQuarantine } from '../../lib/adapters/aws/sqs-queue.ts'
import { createSqsWakes } from '../../lib/adapters/aws/sqs-wakes.ts'
import { clientOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { carryOutLift } from '../../lib/flows/revocation/carry-out-lift.ts'
import { createSessionHook } from '../../lib/flows/revocation/deny-sessions.ts'
import { createWakeReceivers } from '../../lib/flows/revocation/wake-receivers.ts'
import { openOwnTokens } from '../own-tokens.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createTenants } from '../tenants.ts'
import { createHandler } from './handler.ts'
import { awsOrderProofs } from './proofs.ts'

export const REVOKE_ENVIRONMENT = [
  'MINTMARK_BASE_URL',
  'MINTMARK_CORE_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_LOG_TABLE',
  'MINTMARK_QUARANTINE_QUEUE',
  'MINTMARK_PUSH_QUEUE',
  'MINTMARK_ORDER_SENDERS',
  'MINTMARK_EVENTS_SENDER',
] as const

export type RevokeClients = TenantTableClients & {
  /** With the credentials of a tenant's session. */
  readonly iamAs: (credentials: ClientPlace['credentials']) => IAMClient
  readonly secretsAs: (credentials: ClientPlace['credentials']) => SecretsManagerClient
  readonly sqs: SQSClient
}

export const createRevoke = (
  environment: Environment<(typeof REVOKE_ENVIRONMENT)[number]>,
  { iamAs, secretsAs, sqs, ...clients }: RevokeClients,
) => {
  const log = createLogger('revoke')
  const name = environment.MINTMARK_CORE_TABLE
  const { sessions, table } = openTenantTable(name, environment.MINTMARK_DATA_ROLE, clients)
  const configs = createTenantConfigStore(table)
  const tenants = createTenants({ configs, baseUrl: environment.MINTMARK_BASE_URL, log })
  const revocations = createRevocationStore(table)
  const ownTokens = openOwnTokens(table)
  return createHandler({
    ports: {
      proofs: awsOrderProofs({
        ownTokens,
        // A replay is a denial, and those are beside the log.
        decisions: createRecordLookup(table, createDenialLookup({ ...table, name: environment.MINTMARK_LOG_TABLE })),
        tenants,
        configs,
        shared: tableOf(name, clients.dynamo),
        secretsOf: clientOfTenants(sessions, secretsAs),
        senders: {
          operators: environment.MINTMARK_ORDER_SENDERS.split(','),
          events: environment.MINTMARK_EVENTS_SENDER,
        },
      }),
      revocations,
      orders: createAppliedOrders(table),
      hooks: [
        createSessionHook({
          configs,
          grants: createGrantStore(table),
          sessions: createIamSessionDenials({
            iamOf: clientOfTenants(sessions, iamAs),
            roleArn: environment.MINTMARK_DATA_ROLE,
          }),
          clock,
        }),
      ],
      clock,
      ids: createIds(clock),
    },
    lift: (order) => carryOutLift({ ...ownTokens, tenants, clock, revocations }, order),
    wake: createWakeReceivers({
      tenants,
      wakes: createSqsWakes({ client: sqs, queueUrl: environment.MINTMARK_PUSH_QUEUE }),
      clock,
    }),
    quarantine: createSqsQuarantine({ client: sqs, queueUrl: environment.MINTMARK_QUARANTINE_QUEUE }),
    log,
  })
}
