// The laws of the store contract on DynamoDB, with DynamoDB Local as the engine.
import { describeGrantStore } from '../contract/grant-store.contract.ts'
import { describeTenantStores } from '../contract/tenant-stores.contract.ts'
import { openDynamoStores } from './dynamo-stores.ts'

describeGrantStore('dynamodb', openDynamoStores)
describeTenantStores('dynamodb', openDynamoStores)
