// Receivers on DynamoDB, with DynamoDB Local as the engine: the laws of the port, and what is this adapter's own.
import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createReceivers } from '../../lib/adapters/aws/dynamo-receivers.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { describeReceivers } from '../contract/receivers.contract.ts'
import { NOW_SECONDS, sampleConfig, sampleRevocation } from '../contract/sample-rows.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { dynamoClient } from './dynamo-stores.ts'

const openTable = async () => {
  const client = dynamoClient()
  return { table: tableOf((await createTables()).core, client, 20_000), close: async () => client.destroy() }
}

describeReceivers(
  'dynamodb',
  async () => {
    const { table, close } = await openTable()
    return {
      receivers: [createReceivers(table), createReceivers(table)],
      revocations: createRevocationStore(table),
      configs: createTenantConfigStore(table),
      close,
    }
  },
  8,
)

test('a block that was lifted before it was told is told as lifted, under both of its numbers, and never as in force', async () => {
  const { table, close } = await openTable()
  onTestFinished(close)
  const document = JSON.stringify({ receivers: { r: { type: 'poll' } } })
  await createTenantConfigStore(table).put(sampleConfig({ tenant: 'acme', version: 1, document }))
  const revocations = createRevocationStore(table)
  const { id } = await revocations.put(sampleRevocation({ id: randomUUID(), tenant: 'acme' }))
  await revocations.lift({ tenant: 'acme', id, by: 'x', reason: 'x', atSeconds: NOW_SECONDS + 9 })
  const pending = await createReceivers(table).pending({ tenant: 'acme', name: 'r' }, 9)
  expect(pending.map(({ seq, isLifted, atSeconds }) => [seq, isLifted, atSeconds])).toEqual([
    [1, true, NOW_SECONDS + 9],
    [2, true, NOW_SECONDS + 9],
  ])
})
