// What one exchange asks of DynamoDB, counted in the units DynamoDB says it consumed (two writes of 1 KB, at most five strong
// reads, pooled and warm). A count, not a time: one request more is a bill of its own at a million exchanges.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { createTenantLog } from '../../lib/adapters/aws/dynamo-tenant-log.ts'
import { forSeconds } from '../../lib/adapters/config/tenant-directory.ts'
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { AUDIT, EXCHANGE } from '../../scripts/exchange-requests.ts'
import { sampleRevocation } from '../contract/sample-rows.ts'
import { memoryMint } from '../security/memory-mint.ts'
import { type Counter, countRequests } from '../support/dynamodb-counter.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { issuerKey } from '../support/evidence.ts'
import type { OwnKeys } from '../support/own-keys.ts'
import { treeLogIn } from '../support/tree-log.ts'
import { mintStoresOver, newMintTable } from './dynamo-mint.ts'
import { dynamoClient } from './dynamo-stores.ts'

const key = issuerKey('RS256')
const plain = dynamoClient()
const client = dynamoClient()
const strong = new Set<unknown>()
/** Partitions that requests named, wherever in them. */
const partitions = new Set<string>()
let counter: Counter
let broker: Awaited<ReturnType<typeof memoryMint>>
let own: OwnKeys

beforeAll(async () => {
  const made = await newMintTable(plain)
  own = made.own
  counter = countRequests(client)
  client.middlewareStack.add(
    (next, context) => (args) => {
      const input = args.input as {
        ConsistentRead?: boolean
        RequestItems?: Record<string, { ConsistentRead?: boolean }>
      }
      if (/^(Get|BatchGet|Query)/.test(String(context.commandName)))
        strong.add(input.ConsistentRead ?? Object.values(input.RequestItems ?? {})[0]?.ConsistentRead)
      for (const [, pk] of JSON.stringify(input).matchAll(/":?pk":\{"S":"([^"]*)"/g)) partitions.add(pk!)
      return next(args)
    },
    { step: 'initialize' },
  )
  const stores = mintStoresOver(made.name, client, plain)
  broker = await memoryMint(key, (ports) => ports, { own, stores, validity: forSeconds(own.clock) })
  await broker.tenants.current('acme')
  partitions.clear()
})
afterAll(() => {
  plain.destroy()
  client.destroy()
})

const exchange = async () => {
  counter.take()
  const answer = await broker.mint(broker.request(broker.assertion()))
  expect(answer.ok).toBe(true)
  return counter.take()
}

const WARM = { requests: EXCHANGE.requests, writeUnits: EXCHANGE.writeUnits, readUnits: EXCHANGE.readUnits }

describe('one exchange', () => {
  test('warm, in a tenant without revocations: two write units, five strong read units in two requests', async () => {
    await exchange()
    expect(await exchange()).toEqual(WARM)
  })

  test('warm, in a tenant with revocations: the same, once all of them are in memory', async () => {
    for (let at = 0; at < 30; at += 1) await broker.revocations.put(sampleRevocation({ value: `other-${at}` }))
    const first = await exchange()
    expect(first.requests['PutItem']).toBe(EXCHANGE.requests.PutItem)
    await exchange()
    expect(await exchange()).toEqual(WARM)
  })

  test('just after a revocation: the selectors’ rows are read instead, each no more than once a look', async () => {
    await broker.revocations.put(sampleRevocation({ value: 'one more' }))
    const { requests, writeUnits, readUnits } = await exchange()
    expect([requests['PutItem'], requests['Query'] ?? 0, writeUnits]).toEqual([2, 0, 2])
    expect(readUnits).toBeLessThanOrEqual(5 + 2 * 14)
  })

  test('every read of it was strong', () => {
    expect(strong).toEqual(new Set([true]))
  })

  test("L5: every row it named is the tenant's own, so a session that reaches no others is enough", () => {
    expect(partitions.size).toBeGreaterThan(4)
    expect([...partitions].filter((pk) => !pk.startsWith('T#acme#'))).toEqual([])
  })

  test('evidence that was redeemed before costs the look that finds it, and that its first record is found by its id', async () => {
    const evidence = broker.assertion()
    await broker.mint(broker.request(evidence))
    counter.take()
    expect((await broker.mint(broker.request(evidence))).ok).toBe(false)
    const { requests } = counter.take()
    expect(requests).toEqual({ BatchGetItem: 1, PutItem: 3, GetItem: 1 })
  })
})

type Written = {
  readonly TransactItems?: readonly { readonly Put?: { readonly Item: Record<string, Record<string, unknown>> } }[]
}

/** As AWS bills a write inside a transaction: twice, by the KB begun. DynamoDB Local says other numbers there. */
const unitsOf = (item: Record<string, Record<string, unknown>>): number => {
  const bytes = Object.entries(item).reduce((sum, [name, value]) => {
    const [content] = Object.values(value)
    return sum + name.length + (content instanceof Uint8Array ? content.length : Buffer.byteLength(String(content)))
  }, 0)
  return 2 * Math.ceil(bytes / 1024)
}

test.each([1, 10] as const)(
  'audit: the requests of a batch of %i records, and the units docs/cost.md counts with',
  async (size) => {
    const { log } = await createTables()
    const written: number[] = []
    client.middlewareStack.add(
      (next) => (args) => {
        for (const { Put } of (args.input as Written).TransactItems ?? []) if (Put) written.push(unitsOf(Put.Item))
        return next(args)
      },
      { step: 'initialize', name: 'units', override: true },
    )
    const audit = treeLogIn(createTenantLog(tableOf(log, client, 60_000), nodeSha256)).log
    while ((await broker.grants.records()).length < 3 * size) await exchange()
    const entries = (await broker.grants.records()).map((record) => ({ kind: 'grant' as const, record }))
    // The first of a log reads less, and the second is what all others are like.
    for (let round = 0; round < 3; round += 1) {
      counter.take()
      written.length = 0
      await audit.append('acme', entries.slice(round * size, (round + 1) * size))
    }
    expect(counter.take().requests).toEqual(AUDIT.requests)
    const units = written.reduce((sum, one) => sum + one, 0)
    expect(units / size).toBe(AUDIT.writeUnits[size])
  },
)
