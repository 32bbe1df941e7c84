// The configuration of tenants on AWS, as whoever runs the command: only a session of the role mintmark-apply may write it.
import { createDynamoClient, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { CORE_TABLE } from '../../lib/adapters/aws/table-keys.ts'
import type { TenantConfigStore } from '../../lib/ports/tenants.ts'

/** Nobody waits for it but a person. */
const WAIT_MS = 10_000

export const openAwsConfigs = (): { readonly configs: TenantConfigStore; readonly close: () => void } => {
  const client = createDynamoClient({ maxAttempts: 5, requestMs: 2_000 })
  return { configs: createTenantConfigStore(tableOf(CORE_TABLE, client, WAIT_MS)), close: () => client.destroy() }
}
