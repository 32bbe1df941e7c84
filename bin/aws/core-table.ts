// The core table on AWS, as whoever runs the command: place and credentials as every AWS tool finds them. What they may do there
// is IAM's to say (infra/policies/people.ts).
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { ClientPlace } from '../../lib/adapters/aws/clients.ts'
import { createDenialLookup } from '../../lib/adapters/aws/dynamo-denials.ts'
import { createRecordLookup } from '../../lib/adapters/aws/dynamo-records.ts'
import { createDynamoClient, type Table, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { CORE_TABLE, LOG_TABLE } from '../../lib/adapters/aws/table-keys.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import type { RevocationStore } from '../../lib/ports/revocations.ts'
import type { TenantConfigStore } from '../../lib/ports/tenants.ts'
import type { Io } from '../command.ts'

/** Nobody waits for it but a person. */
const WAIT_MS = 10_000

type Opened<Stores> = Stores & { readonly close: () => void }

const open = <Stores extends object>(storesOf: (table: Table) => Stores): Opened<Stores> => {
  const client = createDynamoClient({ maxAttempts: 5, requestMs: 2_000 })
  return { ...storesOf(tableOf(CORE_TABLE, client, WAIT_MS)), close: () => client.destroy() }
}

/** Only a session of the role mintmark-apply may write them. */
export const openAwsConfigs = (): Opened<{ readonly configs: TenantConfigStore }> =>
  open((table) => ({ configs: createTenantConfigStore(table) }))

/** Only a session of the role mintmark-operator may lift a block. */
export const openAwsRevocations = (): Opened<{
  readonly configs: TenantConfigStore
  readonly revocations: RevocationStore
}> => open((table) => ({ configs: createTenantConfigStore(table), revocations: createRevocationStore(table) }))

/** Drafts orders and sees when they are in force: the role mintmark-operator. */
export const openAwsOrders = () =>
  open((table) => {
    const log = tableOf(LOG_TABLE, table.clientOf(null) as DynamoDBClient, WAIT_MS)
    return {
      configs: createTenantConfigStore(table),
      revocations: createRevocationStore(table),
      decisions: createRecordLookup(table, createDenialLookup(log)),
    }
  })

export type AwsCaller = {
  /** As revoke writes of who ordered: `aws:<role id>:<session>`. */
  readonly by: string
  readonly account: string
  readonly region: string
}

/** Who runs the command, as AWS knows them, and where. Throws Unavailable. */
export const awsCaller = async (): Promise<AwsCaller> => {
  const sts = new STSClient({ maxAttempts: 3 })
  try {
    const asked = sts.send(new GetCallerIdentityCommand({}), { abortSignal: AbortSignal.timeout(WAIT_MS) })
    const { UserId, Account } = await asked
    if (UserId !== undefined && Account !== undefined)
      return { by: `aws:${UserId}`, account: Account, region: await sts.config.region() }
  } catch (cause) {
    throw new Unavailable('cloud_unavailable', undefined, { cause })
  } finally {
    sts.destroy()
  }
  throw new Unavailable('cloud_unavailable')
}

/** Where S3 is and as whom, for requests that no client of the SDK makes. Throws Unavailable. */
export const awsPlace = async (env: Io['env']): Promise<ClientPlace> => {
  const sts = new STSClient()
  try {
    const { accessKeyId, secretAccessKey, sessionToken = '' } = await sts.config.credentials()
    const endpoint = env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']
    return {
      region: await sts.config.region(),
      credentials: { accessKeyId, secretAccessKey, sessionToken },
      ...(endpoint === undefined ? {} : { endpoint }),
    }
  } catch (cause) {
    throw new Unavailable('cloud_unavailable', undefined, { cause })
  } finally {
    sts.destroy()
  }
}
