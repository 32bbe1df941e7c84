// The log of a tenant on AWS, as whoever runs the command: the role mintmark-operator reads it, and IAM lets it write nothing there.
// Verifier keys come from the public log: rows of keys are no operator's business.
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { readHeadItem } from '../../lib/adapters/aws/dynamo-log-rows.ts'
import { createPublicLog } from '../../lib/adapters/aws/dynamo-public-log.ts'
import { begin, createDynamoClient, getItem, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { LOG_TABLE, logHeadKey } from '../../lib/adapters/aws/table-keys.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { openHttpLog } from './http-log.ts'
import { CannotOpen, type ReadableLog } from './open-log.ts'

export const openAwsLog = async (tenant: string): Promise<ReadableLog> => {
  const client = createDynamoClient({ maxAttempts: 5, requestMs: 2_000 })
  const table = tableOf(LOG_TABLE, client, LIMITS.logWaitMs)
  try {
    const row = await getItem(await begin(table, tenant), logHeadKey(tenant))
    if (row === null) throw new CannotOpen(`there is no log of a tenant ${JSON.stringify(tenant)} there`, 1)
    const { origin, authority, size } = readHeadItem(row)
    return {
      tenant,
      log: {
        ...createPublicLog(table, nodeSha256),
        ...createLogLeaves(table),
        about: async () => ({ origin, size }),
      },
      origin,
      expired: async () => null,
      vkeys: () => openHttpLog(`${authority}/log`).vkeys(),
      close: () => client.destroy(),
    }
  } catch (error) {
    client.destroy()
    throw error instanceof Unavailable
      ? new CannotOpen('the log table does not answer, or is not to be read', 3)
      : error
  }
}
