// mint over DynamoDB stores, for the interleaving model, the fault tests and the counts.
import { type AttributeValue, BatchWriteItemCommand, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { readGrantItem, readOutcomeItem } from '../../lib/adapters/aws/dynamo-grant-rows.ts'
import type { MintStores } from '../security/memory-mint.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { type OwnKeys, ownKeys } from '../support/own-keys.ts'
import { storesOver } from './dynamo-stores.ts'

type Row = Record<string, AttributeValue>

/** All rows of a table: for tests only, no function may. */
export const allRows = async (client: DynamoDBClient, name: string): Promise<readonly Row[]> => {
  const rows: Row[] = []
  let from: Row | undefined
  do {
    const page = await client.send(new ScanCommand({ TableName: name, ConsistentRead: true, ExclusiveStartKey: from }))
    rows.push(...(page.Items ?? []))
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  return rows
}

/** Stores of a new process over the table. `client` is what mint uses, `plain` what the test looks with. */
export const mintStoresOver = (name: string, client: DynamoDBClient, plain: DynamoDBClient): MintStores => {
  const { grants, state, configs, revocations } = storesOver(name, client)
  const rowsNamed = async (sk: string) => (await allRows(plain, name)).filter((row) => row['sk']?.S === sk)
  return {
    configs,
    revocations,
    state,
    grants: {
      ...grants,
      records: async () => (await rowsNamed('G')).map(readGrantItem),
      outcomes: async () => (await rowsNamed('OUT')).map(readOutcomeItem),
    },
  }
}

/** Forgets redemptions and revocations; keys and configuration stay. */
export const forgetRedemptions = async (client: DynamoDBClient, name: string): Promise<void> => {
  const rows = (await allRows(client, name)).filter(({ pk }) => /^T#[^#]+#(G|D|P|RV|RVV)(#|$)/.test(pk!.S!))
  for (let at = 0; at < rows.length; at += 25) {
    const deletes = rows.slice(at, at + 25).map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk: pk!, sk: sk! } } }))
    await client.send(new BatchWriteItemCommand({ RequestItems: { [name]: deletes } }))
  }
}

/** A new table, and own keys that lie in it. */
export const newMintTable = async (
  client: DynamoDBClient,
): Promise<{ readonly name: string; readonly own: OwnKeys }> => {
  const { core } = await createTables()
  return { name: core, own: ownKeys(storesOver(core, client).keys) }
}
