// DynamoDB stores as the contract suites and the fault tests want them: fresh tables, and clients one can look into.
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { readGrantItem, readOutcomeItem } from '../../lib/adapters/aws/dynamo-grant-rows.ts'
import { createGrantStore } from '../../lib/adapters/aws/dynamo-grant-store.ts'
import { createIssuerKeyStore } from '../../lib/adapters/aws/dynamo-issuer-key-store.ts'
import { createDynamoClient, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/aws/dynamo-signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { createTenantState } from '../../lib/adapters/aws/dynamo-tenant-state.ts'
import { startTimeMark } from '../../lib/adapters/aws/dynamo-time-mark.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import type { Fed, Stores } from '../contract/stores.ts'
import { createTables, localDynamo, readStream } from '../support/dynamodb-local.ts'

/** A machine that is busy with other tests takes its time: only the fault tests want the deadlines of production. */
const PATIENT_MS = 20_000

export const dynamoClient = (requestMs = PATIENT_MS): DynamoDBClient =>
  createDynamoClient({ ...localDynamo(), maxAttempts: 2, requestMs })

/** Stores of one process over a table; a second call with the same table is a second process. */
export const storesOver = (name: string, client: DynamoDBClient, waitMs = PATIENT_MS) => {
  const table = tableOf(name, client, waitMs)
  return {
    table,
    grants: createGrantStore(table),
    state: createTenantState(table),
    configs: createTenantConfigStore(table),
    keys: createSigningKeyStore(table),
    issuerKeys: createIssuerKeyStore(table),
    revocations: createRevocationStore(table),
  }
}

export const openDynamoStores = async (): Promise<Stores> => {
  const { core } = await createTables()
  const client = dynamoClient()
  const stores = storesOver(core, client)
  return {
    ...stores,
    timeMark: await startTimeMark({ table: stores.table, clock: systemClock }),
    feed: () => fedOf(core),
    close: async () => client.destroy(),
  }
}

/** What the audit function is handed, read by the adapter's own reader of rows. */
export const fedOf = async (table: string): Promise<Fed> => {
  const images = (await readStream(table)).flatMap(({ eventName, dynamodb }) =>
    eventName === 'INSERT' && dynamodb?.NewImage ? [unmarshalled(dynamodb.NewImage)] : [],
  )
  return {
    records: images.filter(({ sk }) => sk?.S === 'G').map(readGrantItem),
    outcomes: images.filter(({ sk }) => sk?.S === 'OUT').map(readOutcomeItem),
  }
}

/** The stream's JSON has binary as base64, as Lambda's events do. */
const unmarshalled = (image: Record<string, unknown>): Record<string, AttributeValue> =>
  Object.fromEntries(
    Object.entries(image).map(([name, value]) => {
      const { B } = value as { readonly B?: string }
      return [name, B === undefined ? (value as AttributeValue) : { B: Buffer.from(B, 'base64') }]
    }),
  )
