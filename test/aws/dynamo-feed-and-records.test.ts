// Changes and lists of revocations, security events and records by decision id on DynamoDB, with DynamoDB Local as the engine.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGrantStore } from '../../lib/adapters/aws/dynamo-grant-store.ts'
import { createRecentRecords, createRecordLookup } from '../../lib/adapters/aws/dynamo-records.ts'
import { type Table, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createRevocationChanges } from '../../lib/adapters/aws/dynamo-revocation-changes.ts'
import { createRevocationPages } from '../../lib/adapters/aws/dynamo-revocation-pages.ts'
import { createRevocationStore } from '../../lib/adapters/aws/dynamo-revocation-store.ts'
import { createSecurityEvents } from '../../lib/adapters/aws/dynamo-security-events.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { describeRevocationChanges } from '../contract/revocation-changes.contract.ts'
import { describeRevocationPages } from '../contract/revocation-pages.contract.ts'
import { sampleNotIssued, samplePut } from '../contract/sample-rows.ts'
import { describeSecurityEvents } from '../contract/security-events.contract.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { dynamoClient } from './dynamo-stores.ts'

const openTable = async (): Promise<{ readonly table: Table; readonly close: () => Promise<void> }> => {
  const client = dynamoClient()
  return { table: tableOf((await createTables()).core, client, 20_000), close: async () => client.destroy() }
}

describeRevocationChanges('dynamodb', async () => {
  const { table, close } = await openTable()
  const stores = [createRevocationStore(table), createRevocationStore(table)] as const
  return { changes: createRevocationChanges(table), stores, close }
})

describeRevocationPages('dynamodb', async () => {
  const { table, close } = await openTable()
  const store = createRevocationStore(table)
  return { pages: createRevocationPages(createRevocationChanges(table), store), store, close }
})

describeSecurityEvents('dynamodb', async () => {
  const { table, close } = await openTable()
  return { events: createSecurityEvents(table), close }
})

describe('records by decision id: dynamodb', () => {
  let opened: Awaited<ReturnType<typeof openTable>>
  beforeAll(async () => {
    opened = await openTable()
  })
  afterAll(() => opened?.close())
  const ids = createIds(systemClock)
  const put = async (guard: string, over: object = {}) => {
    const order = samplePut(guard, {}, { decisionId: ids.decisionId(), atSeconds: systemClock.nowSeconds(), ...over })
    const outcome = await createGrantStore(opened.table).put(order)
    return { order, id: order.record.decisionId, outcome: outcome.outcome }
  }

  test('a record is found as soon as its put has resolved, with its outcome, in its tenant alone', async () => {
    const { order, id } = await put('one')
    const lookup = createRecordLookup(opened.table)
    expect(await lookup.find(id, 'acme')).toEqual({ kind: 'allow', record: order.record, notIssued: null })
    expect([await lookup.find(id, 'globex'), await lookup.find('not an id', 'acme')]).toEqual([null, null])
    const none = sampleNotIssued(order)
    await createGrantStore(opened.table).putNotIssued(none)
    expect(await lookup.find(id, 'acme')).toMatchObject({ notIssued: none.outcome })
  })

  test('a redemption that came second has no record under its own id', async () => {
    const [first, second] = [await put('two'), await put('two')]
    expect([first.outcome, second.outcome]).toEqual(['created', 'exists'])
    const lookup = createRecordLookup(opened.table)
    expect(await lookup.find(second.id, 'acme')).toBeNull()
    expect(await lookup.find(first.id, 'acme')).toMatchObject({ record: { decisionId: first.id } })
  })

  test('a repeat, which came second, is found under its own id as soon as it has a record of its own', async () => {
    await put('repeated')
    const { id } = await put('repeated')
    const own = await put('own of the repeat', { decisionId: id })
    expect(own.outcome).toBe('created')
    const found = await createRecordLookup(opened.table).find(id, 'acme')
    expect(found).toMatchObject({ record: own.order.record })
  })

  test('an id that names a record already is not given to another: nothing is signed under it', async () => {
    const { id, order } = await put('three')
    await expect(put('four', { decisionId: id })).rejects.toThrow(Unavailable)
    const found = await createRecordLookup(opened.table).find(id, 'acme')
    expect(found).toMatchObject({ record: order.record })
  })

  test('the newest come first, over more than one page, and those that are too old do not come', async () => {
    const tenant = `t${randomUUID().slice(0, 8).replaceAll('-', '')}`
    const made: string[] = []
    for (let at = 0; at < 60; at += 1) made.push((await put(`${tenant}-${at}`, { tenant })).id)
    await put(`${tenant}-old`, { tenant, atSeconds: 1 })
    const seen: string[] = []
    const recent = createRecentRecords(opened.table, systemClock)
    for await (const { record } of recent.since(tenant, systemClock.nowSeconds() - 3_600)) seen.push(record.decisionId)
    expect(seen).toEqual(made.toReversed())
  })

  test('who asks for denials as well asks somebody else, and only for what has no record', async () => {
    const { id } = await put('five')
    const asked: string[] = []
    const otherwise = {
      async find(other: string) {
        asked.push(other)
        return null
      },
    }
    const lookup = createRecordLookup(opened.table, otherwise)
    await lookup.find(id, 'acme')
    const unknown = ids.decisionId()
    expect(await lookup.find(unknown, 'acme')).toBeNull()
    expect(asked).toEqual([unknown])
  })
})
