// Receivers on DynamoDB, with DynamoDB Local as the engine: the laws of the port, and what is this adapter's own.
import { randomUUID } from 'node:crypto'
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { expect, onTestFinished, test } from 'vitest'
import { createReceivers } from '../../lib/adapters/aws/dynamo-receivers.ts'
import { keyOf, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/aws/dynamo-tenant-config-store.ts'
import { revocationChangeKey } from '../../lib/adapters/aws/table-keys.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
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

test('a receiver that left open all that its row holds stands still, and says so: what is new waits as what was refused does', async () => {
  const { table, close } = await openTable()
  onTestFinished(close)
  const document = JSON.stringify({ receivers: { r: { type: 'webhook', url: 'https://r.example/' } } })
  await createTenantConfigStore(table).put(sampleConfig({ tenant: 'acme', version: 1, document }))
  // As if there had been so many changes: of each, only its number counts here.
  const client = await table.clientOf('acme')
  const Item = keyOf(revocationChangeKey('acme', LIMITS.receiverOpenMax + 1))
  await client.send(new PutItemCommand({ TableName: table.name, Item: { ...Item, at: { N: String(NOW_SECONDS) } } }))
  const receivers = createReceivers(table)
  const key = { tenant: 'acme', name: 'r' }
  const nowMs = NOW_SECONDS * 1000
  const refuse = (from: number, to: number) =>
    receivers.answer(
      key,
      Array.from({ length: to - from + 1 }, (_, at) => ({
        seq: from + at,
        jti: `${from + at}`,
        problem: 'invalid_key',
        status: 400,
        bytes: 9,
      })),
      NOW_SECONDS,
      nowMs + 30_000,
    )
  const full = async () => (await receivers.list('acme')).map((state) => [state.full, state.pending])
  const isDue = async (atMs: number) => (await receivers.due('me', atMs, 'acme')).length > 0
  await refuse(1, LIMITS.receiverOpenMax - 1)
  expect([await full(), await isDue(nowMs)]).toEqual([[[false, LIMITS.receiverOpenMax + 1]], true])
  await refuse(LIMITS.receiverOpenMax, LIMITS.receiverOpenMax)
  expect([await full(), await isDue(nowMs), await isDue(nowMs + 30_000)]).toEqual([
    [[true, LIMITS.receiverOpenMax + 1]],
    false,
    true,
  ])
  // One more leaves no trace: it is owed as before, and so is the rest.
  await refuse(LIMITS.receiverOpenMax + 1, LIMITS.receiverOpenMax + 1)
  expect(await full()).toEqual([[true, LIMITS.receiverOpenMax + 1]])
  const taken = { seq: 1, jti: '1', problem: null, status: 202, bytes: 0 }
  await receivers.answer(key, [taken], NOW_SECONDS)
  expect([await full(), await isDue(nowMs)]).toEqual([[[false, LIMITS.receiverOpenMax]], true])
})
