// audit on AWS: the stream of the core table and the queue of denials into the log table, each tenant's part through its session.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { STSClient } from '@aws-sdk/client-sts'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createAuditLog } from '../../lib/adapters/aws/dynamo-audit-log.ts'
import { feedItemOf } from '../../lib/adapters/aws/dynamo-stream.ts'
import { createSqsQuarantine } from '../../lib/adapters/aws/sqs-queue.ts'
import { createTenantSessions, tableOfTenants } from '../../lib/adapters/aws/tenant-sessions.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import type { Environment } from '../../lib/config/environment.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { createHandler } from './handler.ts'

export const AUDIT_ENVIRONMENT = [
  'MINTMARK_LOG_TABLE',
  'MINTMARK_DATA_ROLE',
  'MINTMARK_QUARANTINE_QUEUE',
  'MINTMARK_DENIALS_QUARANTINE_QUEUE',
] as const

export type AuditClients = {
  readonly dynamo: DynamoDBClient
  readonly dynamoAs: (credentials: ClientPlace['credentials']) => DynamoDBClient
  readonly sqs: SQSClient
  readonly sts: STSClient
}

export const createAudit = (
  environment: Environment<(typeof AUDIT_ENVIRONMENT)[number]>,
  { dynamo, dynamoAs, sqs, sts }: AuditClients,
) => {
  const sessions = createTenantSessions({ sts, roleArn: environment.MINTMARK_DATA_ROLE, clock })
  const table = tableOfTenants({ name: environment.MINTMARK_LOG_TABLE, sessions, connect: dynamoAs, own: dynamo })
  const quarantine = (queueUrl: string) => createSqsQuarantine({ client: sqs, queueUrl })
  return createHandler({
    ports: { log: createAuditLog(table), quarantine: quarantine(environment.MINTMARK_QUARANTINE_QUEUE) },
    denialQuarantine: quarantine(environment.MINTMARK_DENIALS_QUARANTINE_QUEUE),
    readChange: feedItemOf,
    log: createLogger('audit'),
  })
}
