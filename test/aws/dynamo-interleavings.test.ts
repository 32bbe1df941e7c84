// Mint against revoke on DynamoDB: the same model as in memory, once with caches that know nothing and once with all of the
// tenant's revocations in memory, which must not outlive the next one.
import { afterAll, beforeAll } from 'vitest'
import { sampleRevocation } from '../contract/sample-rows.ts'
import { describeInterleavings, type OpenStores } from '../security/interleavings.contract.ts'
import type { OwnKeys } from '../support/own-keys.ts'
import { forgetRedemptions, mintStoresOver, newMintTable } from './dynamo-mint.ts'
import { dynamoClient } from './dynamo-stores.ts'

let client: ReturnType<typeof dynamoClient>
let shared: { readonly name: string; readonly own: OwnKeys }
beforeAll(async () => {
  client = dynamoClient()
  shared = await newMintTable(client)
})
afterAll(() => client.destroy())

const open: OpenStores = async (lasting) => {
  const { name, own } = lasting === 'shared' ? shared : await newMintTable(client)
  if (lasting === 'shared') await forgetRedemptions(client, name)
  return { own, stores: mintStoresOver(name, client, client) }
}

const openWarm: OpenStores = async (lasting) => {
  const opened = await open(lasting)
  const { revocations, state } = opened.stores
  await revocations.put(sampleRevocation({ value: 'another project' }))
  const query = { tenant: 'acme', selectors: [], kid: null, asksConfig: false }
  for (let reads = 0; reads < 3; reads += 1) await state.read(query)
  return opened
}

describeInterleavings('dynamodb', open, 'around the record')
describeInterleavings('dynamodb, revocations in memory', openWarm, 'around the record')
