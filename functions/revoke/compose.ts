// revoke on AWS: orders from SQS, which names their sender, into rows of the tenant through that tenant's session.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { IAMClient } from '@aws-sdk/client-iam'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { STSClient } from '@aws-sdk/client-sts'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { createGrantStore } from '../../lib/adapters/aws/dynamo-grant-store.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createIamSessionDenials } from '../../lib/adapters/aws/iam-session-denials.ts'
import { createSenderProofs } from '../../lib/adapters/aws/sender-proofs.ts'
import { createSqsQuarantine } from '../../lib/adapters/aws/sqs-queue.ts'
import { clientOfTenants, createTenantSessions, tableOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { createHandler } from './handler.ts'

export const REVOKE_ENVIRONMENT = [
  'MINTMARK_CORE_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_QUARANTINE_QUEUE',
  'MINTMARK_ORDER_SENDERS',
] as const

export type RevokeClients = {
  readonly dynamo: DynamoDBClient
  readonly dynamoAs: (credentials: ClientPlace['credentials']) => DynamoDBClient
  readonly iamAs: (credentials: ClientPlace['credentials']) => IAMClient
  readonly sqs: SQSClient
  readonly sts: STSClient
}

export const createRevoke = (
  environment: Environment<(typeof REVOKE_ENVIRONMENT)[number]>,
  { dynamo, dynamoAs, iamAs, sqs, sts }: RevokeClients,
) => {
  const sessions = createTenantSessions({ sts, roleArn: environment.MINTMARK_DATA_ROLE, clock })
  const table = tableOfTenants({
    name: environment.MINTMARK_CORE_TABLE,
    sessions,
    connect: dynamoAs,
    own: dynamo,
  })
  return createHandler({
    ports: {
      proofs: createSenderProofs(environment.MINTMARK_ORDER_SENDERS.split(',')),
      revocations: createRevocationStore(table),
      orders: createAppliedOrders(table),
      cloud: {
        configs: createTenantConfigStore(table),
        grants: createGrantStore(table),
        sessions: createIamSessionDenials({
          iamOf: clientOfTenants(sessions, iamAs),
          roleArn: environment.MINTMARK_DATA_ROLE,
        }),
        clock,
      },
      clock,
      ids: createIds(clock),
    },
    quarantine: createSqsQuarantine({ client: sqs, queueUrl: environment.MINTMARK_QUARANTINE_QUEUE }),
    log: createLogger('revoke'),
  })
}
