// The log of a tenant on AWS, as whoever runs the command: the role mintmark-operator reads it, and IAM lets it write nothing there.
// Verifier keys come from the public log: rows of keys are no operator's business.
import { createAnchorRecords } from '../../lib/adapters/aws/dynamo-anchor-records.ts'
import { createControlRecords } from '../../lib/adapters/aws/dynamo-control-records.ts'
import { createEventSources } from '../../lib/adapters/aws/dynamo-event-sources.ts'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { createExpired } from '../../lib/adapters/aws/dynamo-log-retention.ts'
import { readHeadItem } from '../../lib/adapters/aws/dynamo-log-rows.ts'
import { createPublicLog } from '../../lib/adapters/aws/dynamo-public-log.ts'
import { createGrantRecords, createHourlyRecords } from '../../lib/adapters/aws/dynamo-records.ts'
import { begin, createDynamoClient, getItem, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import { readAnchored } from '../../lib/adapters/aws/s3-anchored.ts'
import { createS3Objects } from '../../lib/adapters/aws/s3-objects.ts'
import { CORE_TABLE, LOG_TABLE, logHeadKey } from '../../lib/adapters/aws/table-keys.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { archiveBucket } from '../../lib/domain/archive-bucket.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { unloggedOfAll } from '../../lib/flows/audit/find-unlogged.ts'
import { awsCaller, awsPlace } from '../aws/core-table.ts'
import type { Io } from '../command.ts'
import { openHttpLog } from './http-log.ts'
import { CannotOpen, type ReadableLog, readHere } from './open-log.ts'
import type { LiveLog } from './verify-live.ts'

export const openAwsLog = async (tenant: string): Promise<ReadableLog> => (await open(tenant)).readable

/** With the tenant's records and the locked bucket beside it. `env`: where an emulator is, as AWS's own tools are told. */
export const openAwsRecords = async (
  tenant: string,
  warnings: string[],
  env: Io['env'],
): Promise<LiveLog & Pick<ReadableLog, 'close'>> => {
  const { readable, table } = await open(tenant)
  const core = { ...table, name: CORE_TABLE }
  return {
    ...readable,
    configs: createTenantConfigStore(core),
    records: createGrantRecords(core),
    sources: createEventSources({ core, log: table }),
    async anchored() {
      // First what the log says is there: what comes while the bucket is read is not missed in it.
      const said = await createAnchorRecords(table).of(tenant)
      const kept = new Set(await lockedAway(tenant, env))
      for (const { anchor, size } of said.filter(({ note }) => !kept.has(note)))
        warnings.push(`that ${anchor} has size ${size} is the log's own word: it is not in the locked bucket`)
      return [...kept, ...said.map(({ note }) => note)]
    },
    unlogged: () =>
      unloggedOfAll(
        {
          records: createHourlyRecords(core),
          control: createControlRecords(core),
          store: createTenantLog(table, nodeSha256),
          retention: readable,
          clock,
        },
        tenant,
      ),
  }
}

const lockedAway = async (tenant: string, env: Io['env']): Promise<readonly string[]> => {
  try {
    const bucket = archiveBucket(await awsCaller())
    return await readAnchored({ bucket, objects: createS3Objects(await awsPlace(env)) }, tenant)
  } catch (error) {
    throw error instanceof Unavailable
      ? new CannotOpen('the locked bucket does not answer, or is not to be read', 'unavailable')
      : error
  }
}

const open = async (tenant: string) => {
  const client = createDynamoClient({ maxAttempts: 5, requestMs: 2_000 })
  const table = tableOf(LOG_TABLE, client, LIMITS.logWaitMs)
  try {
    const row = await getItem(await begin(table, tenant), logHeadKey(tenant))
    if (row === null) throw new CannotOpen(`there is no log of a tenant ${JSON.stringify(tenant)} there`, 'refused')
    const { origin, authority, size } = readHeadItem(row)
    const log = {
      ...createPublicLog(table, nodeSha256),
      ...createLogLeaves(table),
      about: async () => ({ origin, size }),
    }
    const readable = {
      tenant,
      log,
      ...readHere(log, tenant, () => openHttpLog(`${authority}/log`).vkeys()),
      origin,
      expired: () => createExpired(table)(tenant),
      close: () => client.destroy(),
    }
    return { readable, table }
  } catch (error) {
    client.destroy()
    throw error instanceof Unavailable
      ? new CannotOpen('the log table does not answer, or is not to be read', 'unavailable')
      : error
  }
}
