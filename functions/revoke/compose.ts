// revoke on AWS: orders from SQS, which names their sender, into rows of the tenant through that tenant's session.
import type { IAMClient } from '@aws-sdk/client-iam'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { createGrantStore } from '../../lib/adapters/aws/dynamo-grant-store.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createIamSessionDenials } from '../../lib/adapters/aws/iam-session-denials.ts'
import { createSenderProofs } from '../../lib/adapters/aws/sender-proofs.ts'
import { createSqsQuarantine } from '../../lib/adapters/aws/sqs-queue.ts'
import { clientOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { createSessionHook } from '../../lib/flows/deny-sessions.ts'
import { openTenantTable, type TenantTableClients } from '../tenant-table.ts'
import { createHandler } from './handler.ts'

export const REVOKE_ENVIRONMENT = [
  'MINTMARK_CORE_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_QUARANTINE_QUEUE',
  'MINTMARK_ORDER_SENDERS',
] as const

export type RevokeClients = TenantTableClients & {
  /** With the credentials of a tenant's session. */
  readonly iamAs: (credentials: ClientPlace['credentials']) => IAMClient
  readonly sqs: SQSClient
}

export const createRevoke = (
  environment: Environment<(typeof REVOKE_ENVIRONMENT)[number]>,
  { iamAs, sqs, ...clients }: RevokeClients,
) => {
  const { sessions, table } = openTenantTable(environment.MINTMARK_CORE_TABLE, environment.MINTMARK_DATA_ROLE, clients)
  return createHandler({
    ports: {
      proofs: createSenderProofs(environment.MINTMARK_ORDER_SENDERS.split(',')),
      revocations: createRevocationStore(table),
      orders: createAppliedOrders(table),
      hooks: [
        createSessionHook({
          configs: createTenantConfigStore(table),
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
    quarantine: createSqsQuarantine({ client: sqs, queueUrl: environment.MINTMARK_QUARANTINE_QUEUE }),
    log: createLogger('revoke'),
  })
}
