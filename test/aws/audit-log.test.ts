// The audit log and carried-out orders on DynamoDB, by the same laws as everywhere, and what is DynamoDB's own about them.
import { DynamoDBClient, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { createAppliedOrders } from '../../lib/adapters/aws/dynamo-applied-orders.ts'
import { createAuditLog } from '../../lib/adapters/aws/dynamo-audit-log.ts'
import { createDecisionLookup } from '../../lib/adapters/aws/dynamo-decision-lookup.ts'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { describeAppliedOrders } from '../contract/applied-orders.contract.ts'
import { describeAuditLog } from '../contract/audit-log.contract.ts'
import { NOW_SECONDS, sampleDenial, sampleRecord } from '../contract/sample-rows.ts'
import { createTables, localDynamo } from '../support/dynamodb-local.ts'
import { entriesIn } from './log-entries.ts'

const open = async (which: 'core' | 'log') => {
  const client = new DynamoDBClient({ ...localDynamo(), maxAttempts: 2 })
  const names = await createTables()
  return { client, table: tableOf(names[which], client) }
}

describeAuditLog('dynamodb', async () => {
  const { client, table } = await open('log')
  return {
    log: createAuditLog(table),
    entries: (tenant) => entriesIn(table, tenant),
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
])('an append whose answer was lost and that was %s is in the log once', async (_, isApplied) => {
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
  const entries = [sampleRecord(), sampleRecord()].map((record) => ({ kind: 'grant' as const, record }))
  await createAuditLog(table).append('acme', entries)
  expect(lost).toBe(3)
  expect(await entriesIn(table, 'acme')).toEqual(entries)
  client.destroy()
})

test('a log that cannot be written is Unavailable, not an entry less', async () => {
  const client = new DynamoDBClient({ ...localDynamo(), maxAttempts: 1 })
  const log = createAuditLog(tableOf('no-such-table', client))
  await expect(log.append('acme', [{ kind: 'grant', record: sampleRecord() }])).rejects.toMatchObject({
    kind: 'store_unavailable',
  })
  client.destroy()
})

test('a decision is found by its id: allow, outcome, denial and roll-up, within its tenant only', async () => {
  const { client, table } = await open('log')
  const record = sampleRecord()
  const { decisionId } = record
  const outcome = { decisionId, tenant: 'acme', atSeconds: NOW_SECONDS, refusal: { kind: 'revoked' } } as const
  const denial = sampleDenial()
  const rolled = { tenant: 'acme', minute: 7, kind: 'expired', source: '192.0.2.1', count: 1 }
  const [rollUpId, listedId] = [sampleDenial().decisionId, sampleDenial().decisionId]
  await createAuditLog(table).append('acme', [
    { kind: 'not_issued', outcome },
    { kind: 'grant', record },
    { kind: 'denial', denial },
    { kind: 'roll_up', rollUp: { ...rolled, id: rollUpId, listed: [listedId], unlisted: 0 } },
  ])
  const lookup = createDecisionLookup(table, async () => ['globex', 'acme'])
  expect(await lookup.find(decisionId, 'acme')).toEqual({ kind: 'allow', record, notIssued: outcome })
  expect(await lookup.find(decisionId, null)).toEqual({ kind: 'allow', record, notIssued: outcome })
  expect(await lookup.find(denial.decisionId, 'acme')).toMatchObject({ kind: 'deny', denial })
  expect(await lookup.find(listedId, 'acme')).toEqual({ kind: 'rolled_up', rollUp: rolled })
  expect(await lookup.find(decisionId, 'globex')).toBeNull()
  expect(await lookup.find(sampleDenial().decisionId, null)).toBeNull()
  client.destroy()
})
