// The laws of the store contract on DynamoDB, with DynamoDB Local as the engine.
import { createProofGuards } from '../../lib/adapters/aws/dynamo-proof-guards.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { describeGrantStore } from '../contract/grant-store.contract.ts'
import { describeProofGuards } from '../contract/proof-guards.contract.ts'
import { describeTenantStores } from '../contract/tenant-stores.contract.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { dynamoClient, openDynamoStores } from './dynamo-stores.ts'

describeGrantStore('dynamodb', openDynamoStores)
describeTenantStores('dynamodb', openDynamoStores)
describeProofGuards('dynamodb', async () => {
  const { core } = await createTables()
  const open = () => createProofGuards(tableOf(core, dynamoClient(), 20_000))
  return [open(), open()]
})
