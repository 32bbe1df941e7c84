// How every function that is bound to tenants reaches rows: each tenant's through a session of the function's data role that is
// tagged with that tenant, what is no tenant's through its own credentials.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { STSClient } from '@aws-sdk/client-sts'
import type { ClientPlace } from '../lib/adapters/aws/clients.ts'
import { createTenantSessions, tableOfTenants } from '../lib/adapters/aws/tenant-sessions.ts'
import { systemClock as clock } from '../lib/adapters/system/clock.ts'

export type TenantTableClients = {
  readonly dynamo: DynamoDBClient
  /** With the credentials of a tenant's session. */
  readonly dynamoAs: (credentials: ClientPlace['credentials']) => DynamoDBClient
  readonly sts: STSClient
}

/** `sessions`: for clients of other services that a tenant's session may use. */
export const openTenantTable = (name: string, dataRole: string, { dynamo, dynamoAs, sts }: TenantTableClients) => {
  const sessions = createTenantSessions({ sts, roleArn: dataRole, clock })
  return { sessions, table: tableOfTenants({ name, sessions, connect: dynamoAs, own: dynamo }) }
}
