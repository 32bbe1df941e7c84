// The audit log and carried-out orders on DynamoDB, by the same laws as everywhere, and what is DynamoDB's own about them.
import { DynamoDBClient, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { createDenialLookup, createDenialRecords } from '../../lib/adapters/aws/dynamo-denials.ts'
import { createLogLeaves } from '../../lib/adapters/aws/dynamo-log-leaves.ts'
import { createPublicLog } from '../../lib/adapters/aws/dynamo-public-log.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { rootOfEdge } from '../../lib/domain/tlog/tiles.ts'
import type { LogStore } from '../../lib/ports/tenant-log.ts'
import { describeAppliedOrders } from '../contract/applied-orders.contract.ts'
import { describeAuditLog } from '../contract/audit-log.contract.ts'
import { sampleDenial, sampleRecord } from '../contract/sample-rows.ts'
import { describeTenantLog } from '../contract/tenant-log.contract.ts'
import { createTables, localDynamo } from '../support/dynamodb-local.ts'
import { remembering, treeLogIn } from '../support/tree-log.ts'

/** The emulator takes seconds for what DynamoDB does in milliseconds, on a machine that has much to do. */
const WAIT_MS = 60_000

const open = async (which: 'core' | 'log') => {
  const client = new DynamoDBClient({ ...localDynamo(), maxAttempts: 2 })
  const names = await createTables()
  return { client, table: tableOf(names[which], client, WAIT_MS) }
}

describeAuditLog('dynamodb', async () => {
  const { client, table } = await open('log')
  const { log } = treeLogIn(createTenantLog(table, nodeSha256))
  return { ...remembering(log, createLogLeaves(table).leaves), close: async () => client.destroy() }
})

describeTenantLog('dynamodb', async () => {
  const { client, table } = await open('log')
  return {
    store: createTenantLog(table, nodeSha256),
    published: createPublicLog(table, nodeSha256),
    leaves: createLogLeaves(table),
    close: async () => client.destroy(),
  }
})

describeAppliedOrders('dynamodb', async () => {
  const { client, table } = await open('core')
  return { orders: createAppliedOrders(table), close: async () => client.destroy() }
})

test.each([
  ['applied', true],
  ['not applied', false],
])('an append whose answer was lost, and that was %s, is in the log once', async (_, isApplied) => {
  const { client, table } = await open('log')
  let lost = 0
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context['commandName'] !== TransactWriteItemsCommand.name || lost >= 3) return next(args)
      lost += 1
      if (isApplied) await next(args)
      throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' })
    },
    { step: 'deserialize', priority: 'low' },
  )
  const tree = treeLogIn(createTenantLog(table, nodeSha256))
  const { log, entries } = remembering(tree.log, createLogLeaves(table).leaves)
  const brought = [sampleRecord(), sampleRecord()].map((record) => ({ kind: 'grant' as const, record }))
  await log.append('acme', brought)
  // The SDK asks twice by itself, under one token.
  expect(lost).toBe(isApplied ? 2 : 3)
  expect(await entries('acme')).toEqual(brought)
  client.destroy()
})

test('two that bring the same events at once write the same end: the one that lost goes on from the tree of the other', async () => {
  const { client, table } = await open('log')
  const stores = [createTenantLog(table, nodeSha256), createTenantLog(table, nodeSha256)]
  const together = () => ({ kind: 'grant' as const, record: sampleRecord() })
  for (let round = 0; round < 4; round += 1) {
    const entry = together()
    await Promise.all(stores.map((store) => treeLogIn(store).log.append('acme', [entry])))
  }
  const rootOf = async (store: LogStore) => rootOfEdge(nodeSha256, (await store.head('acme'))!.edge)
  const fresh = await rootOf(createTenantLog(table, nodeSha256))
  for (const store of stores) expect(await rootOf(store)).toEqual(fresh)
  client.destroy()
})

test('a log that cannot be written is Unavailable, not an entry less', async () => {
  const client = new DynamoDBClient({ ...localDynamo(), maxAttempts: 1 })
  const { log } = treeLogIn(createTenantLog(tableOf('no-such-table', client), nodeSha256))
  await expect(log.append('acme', [{ kind: 'grant', record: sampleRecord() }])).rejects.toMatchObject({
    kind: 'store_unavailable',
  })
  client.destroy()
})

test('a denial is found by its id, in full or in its count, within its tenant only', async () => {
  const { client, table } = await open('log')
  const denial = sampleDenial()
  const rolled = { tenant: 'acme', minute: 7, kind: 'expired', source: '192.0.2.1', count: 1 }
  const listedId = sampleDenial().decisionId
  const entries = [
    { kind: 'grant' as const, record: sampleRecord() },
    { kind: 'denial' as const, denial },
    { kind: 'roll_up' as const, rollUp: { ...rolled, id: 'some-id', listed: [listedId], unlisted: 0 } },
  ]
  for (let time = 0; time < 2; time += 1) await createDenialRecords(table).keep('acme', entries)
  const lookup = createDenialLookup(table)
  expect(await lookup.find(denial.decisionId, 'acme')).toEqual({ kind: 'deny', denial })
  expect(await lookup.find(listedId, 'acme')).toEqual({ kind: 'rolled_up', rollUp: rolled })
  expect(await lookup.find(denial.decisionId, 'globex')).toBeNull()
  expect(await lookup.find('some-id', 'acme')).toBeNull()
  // Whoever has a denial kept under an id that is taken, a denial's or a counted one's, changes nothing of what is there.
  const forged = [denial.decisionId, listedId].map((decisionId) => ({
    kind: 'denial' as const,
    denial: sampleDenial({ decisionId, verified: true, firstDecisionId: 'another' }, 'replayed'),
  }))
  await createDenialRecords(table).keep('acme', forged)
  expect(await lookup.find(denial.decisionId, 'acme')).toEqual({ kind: 'deny', denial })
  expect(await lookup.find(listedId, 'acme')).toEqual({ kind: 'rolled_up', rollUp: rolled })
  client.destroy()
})
