// DynamoDB that throttles, breaks, hangs, loses answers and answers half (design P4, P5, P12): every call of a port answers the
// truth or Unavailable, exactly one put of a guard is created, and when the trouble ends so does ours. Longer than 300 lines: one
// table of calls and faults.
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTenantState } from '../../lib/adapters/aws/dynamo-tenant-state.ts'
import { Unavailable } from '../../lib/domain/unavailable.ts'
import { sampleKey, sampleNotIssued, samplePut, sampleRevocation } from '../contract/sample-rows.ts'
import {
  type Attempt,
  addFaults,
  addPartialBatches,
  type BlackHole,
  type Fault,
  openBlackHole,
} from '../support/dynamodb-faults.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { until } from '../support/until.ts'
import { allRows } from './dynamo-mint.ts'
import { dynamoClient, storesOver } from './dynamo-stores.ts'

const outage = { name: 'Unavailable', kind: 'store_unavailable' }
const project = { kind: 'project', issuer: 'github', value: '7654321' } as const
const query = { tenant: 'acme', selectors: [project], kid: null, asksConfig: true }

let table: string
let blackHole: BlackHole
const plain = dynamoClient()
const clients = [plain]
beforeAll(async () => {
  table = (await createTables()).core
  blackHole = await openBlackHole()
})
afterEach(() => {
  for (const client of clients.splice(1)) client.destroy()
})
afterAll(() => {
  plain.destroy()
  blackHole.close()
})

/** Another process over the same table, whose every attempt meets `plan`. */
const processWith = (plan: (attempt: Attempt) => Fault | null, requestMs?: number, waitMs?: number) => {
  const client = dynamoClient(requestMs)
  addFaults(client, plan, blackHole)
  clients.push(client)
  return { client, ...storesOver(table, client, waitMs) }
}

/** The faults given, one an attempt of the command, then none. */
const first = (command: string, ...faults: readonly (Fault | null)[]) => {
  const left = [...faults]
  return (attempt: Attempt) => (attempt.command === command ? (left.shift() ?? null) : null)
}

const never = (fault: Fault) => () => fault
const guardOf = () => randomUUID()
const healthy = storesOver

describe('L6: an answer that was lost', () => {
  test('the SDK repeats the put and meets its own record: created, not a replay', async () => {
    const put = samplePut(guardOf())
    expect(await processWith(first('PutItem', 'answer lost')).grants.put(put)).toEqual({ outcome: 'created' })
  })

  test('both attempts are lost: the record is read back and is ours', async () => {
    const put = samplePut(guardOf())
    const faults = first('PutItem', 'answer lost', 'answer lost')
    expect(await processWith(faults).grants.put(put)).toEqual({ outcome: 'created' })
  })

  test('no attempt was sent: read back, not there, put once more', async () => {
    const put = samplePut(guardOf())
    expect(await processWith(first('PutItem', 'not sent', 'not sent')).grants.put(put)).toEqual({ outcome: 'created' })
    expect(await healthy(table, plain).grants.find('acme', put.guard)).toMatchObject({ record: put.record })
  })

  test('no attempt was ever sent: Unavailable, and nothing was written', async () => {
    const put = samplePut(guardOf())
    const broken = processWith(({ command }) => (command === 'PutItem' ? 'not sent' : null))
    await expect(broken.grants.put(put)).rejects.toMatchObject(outage)
    expect(await healthy(table, plain).grants.find('acme', put.guard)).toBeNull()
  })

  test('the put is lost and so is the reading back: Unavailable, never a guess', async () => {
    const put = samplePut(guardOf())
    const broken = processWith(({ command }) => (command === 'PutItem' ? 'answer lost' : 'broken'))
    await expect(broken.grants.put(put)).rejects.toMatchObject(outage)
    // It may have happened, and here it did: the next one is told so.
    expect(await healthy(table, plain).grants.put(samplePut(put.guard))).toMatchObject({ existing: put.record })
  })

  test("another's record is no proof that ours was written: the answer is exists, whatever was lost", async () => {
    const theirs = samplePut(guardOf())
    await healthy(table, plain).grants.put(theirs)
    for (const fault of ['answer lost', 'not sent', 'broken'] as const) {
      const broken = processWith(first('PutItem', fault, fault))
      expect(await broken.grants.put(samplePut(theirs.guard))).toMatchObject({
        outcome: 'exists',
        existing: theirs.record,
      })
    }
  })

  test('the same request delivered again with the same decision id is not taken for its own repeat', async () => {
    const put = samplePut(guardOf())
    await healthy(table, plain).grants.put(put)
    expect(await processWith(first('PutItem', 'answer lost', 'answer lost')).grants.put(put)).toMatchObject({
      outcome: 'exists',
    })
  })

  test('a transaction with a DPoP proof is read back the same way, and a conflict is waited out', async () => {
    const proofGuard = () => ({ hash: randomUUID(), keepUntilSeconds: 1_900_000_000 })
    for (const faults of [
      ['answer lost'],
      ['answer lost', 'answer lost'],
      ['not sent', 'not sent'],
      ['throttled', 'broken'],
    ] as const) {
      const put = samplePut(guardOf(), { proofGuard: proofGuard() })
      const broken = processWith(first('TransactWriteItems', ...faults))
      expect(await broken.grants.put(put)).toEqual({ outcome: 'created' })
      expect(await broken.grants.put(samplePut(guardOf(), { proofGuard: put.proofGuard }))).toEqual({
        outcome: 'proof_replayed',
      })
    }
  })

  test('a key is moved by the one whose answer was lost, and the move is not told to be somebody else’s', async () => {
    const { keys } = healthy(table, plain)
    await keys.insert(sampleKey({ kid: 'lost-move' }))
    const broken = processWith(first('UpdateItem', 'answer lost', 'answer lost'))
    expect(await broken.keys.move('acme', 'lost-move', 'prepared', 'active', 1)).toBe(true)
    expect(await broken.keys.move('acme', 'lost-move', 'prepared', 'active', 1)).toBe(false)
  })

  test('an outcome whose answer was lost is there once', async () => {
    const put = samplePut(guardOf())
    const broken = processWith(({ command, input }) =>
      command === 'PutItem' && (input['Item'] as { sk: { S: string } }).sk.S === 'OUT' ? 'answer lost' : null,
    )
    await broken.grants.put(put)
    await broken.grants.putNotIssued(sampleNotIssued(put))
    expect(await healthy(table, plain).grants.find('acme', put.guard)).toMatchObject({ notIssued: true })
  })
})

describe('P4 under throttling and every other fault at random', () => {
  // A seeded generator, so that a failure can be seen again (mulberry32).
  const random = (seed: number) => {
    let state = seed
    return () => {
      state = (state + 0x6d2b79f5) | 0
      let t = Math.imul(state ^ (state >>> 15), 1 | state)
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
    }
  }

  test.each([
    [0, ['throttled']],
    [0.3, ['throttled']],
    [0.7, ['throttled']],
    [1, ['throttled']],
    [0.4, ['throttled', 'broken', 'not sent', 'answer lost']],
    [0.8, ['answer lost', 'conflict']],
  ] as const)('%d of all attempts %j: of 4 racers for each guard at most one is created', async (share, faults) => {
    const next = random(share * 100 + faults.length)
    let isOver = false
    const plan = () => (!isOver && next() < share ? faults[Math.floor(next() * faults.length)]! : null)
    const guards = Array.from({ length: 12 }, guardOf)
    const puts = guards.flatMap((guard) => Array.from({ length: 4 }, () => samplePut(guard)))
    const racers = Array.from({ length: 4 }, () => processWith(plan))
    const settled = await Promise.allSettled(puts.map((put, at) => racers[at % 4]!.grants.put(put)))
    isOver = true

    const now = healthy(table, plain).grants
    for (const guard of guards) {
      const mine = puts.flatMap((put, at) => (put.guard === guard ? [{ put, result: settled[at]! }] : []))
      const created = mine.filter(({ result }) => result.status === 'fulfilled' && result.value.outcome === 'created')
      expect(created.length).toBeLessThanOrEqual(1)
      for (const { result } of mine) if (result.status === 'rejected') expect(result.reason).toMatchObject(outage)
      const stored = await now.find('acme', guard)
      // P5: who was told "created" has the record; who was told "exists" was shown the one that is there.
      if (created[0] !== undefined) expect(stored?.record).toEqual(created[0].put.record)
      for (const { result } of mine)
        if (result.status === 'fulfilled' && result.value.outcome === 'exists')
          expect(result.value.existing).toEqual(stored?.record)
      // P12: the same processes, with nothing restarted, give the answer now.
      const after = await racers[0]!.grants.put(samplePut(guard))
      expect(after.outcome).toBe(stored === null ? 'created' : 'exists')
    }
    const answered = settled.filter(({ status }) => status === 'fulfilled').length
    if (share === 0) expect(answered).toBe(puts.length)
    if (share === 1) expect(answered).toBe(0)
  })
})

describe('P12: a store that does not answer', () => {
  test('every call ends as Unavailable by its own deadline, and works again when the store does', async () => {
    let isHanging = true
    const { grants, state, revocations, configs, keys, issuerKeys } = processWith(
      () => (isHanging ? 'hangs' : null),
      200,
      1_000,
    )
    const calls = (): Record<string, Promise<unknown>> => ({
      put: grants.put(samplePut(guardOf())),
      find: grants.find('acme', 'guard'),
      putNotIssued: grants.putNotIssued(sampleNotIssued(samplePut(guardOf()))),
      state: state.read(query),
      revoke: revocations.put(sampleRevocation({ value: 'hang' })),
      revocations: revocations.list('acme'),
      config: configs.latest('acme'),
      keys: keys.list('acme'),
      issuerKeys: issuerKeys.read('source'),
    })
    const hanging = calls()
    const settled = await Promise.allSettled(Object.values(hanging))
    for (const result of settled) expect(result).toMatchObject({ status: 'rejected', reason: outage })
    isHanging = false
    // Nothing is restarted; a busy machine may need a second try with deadlines as short as these.
    await until(
      'a read that is answered again',
      () => state.read(query).catch((error: unknown) => error),
      (answer) => !(answer instanceof Unavailable),
    )
  })

  test.each(['throttled', 'broken', 'not sent'] as const)(
    '%s always: Unavailable with its cause, nothing else',
    async (fault) => {
      const { grants, state, revocations } = processWith(never(fault))
      await expect(grants.put(samplePut(guardOf()))).rejects.toMatchObject({ ...outage, cause: expect.any(Error) })
      await expect(state.read(query)).rejects.toMatchObject(outage)
      await expect(revocations.put(sampleRevocation())).rejects.toMatchObject(outage)
    },
  )
})

describe('P5: revocations in trouble', () => {
  test('batches that come in parts are put together, whole', async () => {
    const { revocations, state, keys, client } = processWith(() => null)
    await keys.insert(sampleKey({ kid: 'partial' }))
    let rounds = 0
    addPartialBatches(client, () => {
      rounds += 1
      return rounds % 4 !== 0
    })
    const block = await revocations.put(sampleRevocation({ value: 'partial' }))
    const selectors = [
      { ...project, value: 'partial' },
      ...Array.from({ length: 9 }, (_, at) => ({ ...project, value: `${at}` })),
    ]
    for (let reads = 0; reads < 4; reads += 1)
      expect(await state.read({ ...query, selectors, kid: 'partial' })).toMatchObject({
        keyState: 'prepared',
        revocations: [block],
      })
    expect(rounds).toBeGreaterThan(4)
  })

  test('keys that stay unprocessed are Unavailable: a revocation may be among them', async () => {
    const { revocations, client } = processWith(() => null)
    await revocations.put(sampleRevocation({ value: 'unprocessed' }))
    addPartialBatches(client, () => true)
    const { state } = storesOver(table, client, 500)
    await expect(state.read({ ...query, kid: 'partial' })).rejects.toMatchObject(outage)
  })

  test('the version did not move after the row: the order is not accepted, and accepting it again makes it seen', async () => {
    const { state, revocations } = healthy(table, plain)
    await revocations.put(sampleRevocation({ value: 'before' }))
    for (let reads = 0; reads < 4; reads += 1) await state.read(query)
    const isVersion = ({ input }: Attempt) => JSON.stringify(input['Key'] ?? '').includes('RVV')
    const broken = processWith((attempt) => (isVersion(attempt) ? 'throttled' : null))
    const order = sampleRevocation({ value: 'half' })
    await expect(broken.revocations.put(order)).rejects.toMatchObject(outage)
    const half = { ...query, selectors: [{ ...project, value: 'half' }] }
    const block = await revocations.put({ ...order, id: randomUUID() })
    expect(block).toEqual(order)
    expect((await state.read(half)).revocations).toEqual([order])
  })

  test('a lift whose version did not move is made seen by the next one', async () => {
    const { state, revocations } = healthy(table, plain)
    const block = await revocations.put(sampleRevocation({ value: 'lifted' }))
    const asked = { ...query, selectors: [{ ...project, value: 'lifted' }] }
    for (let reads = 0; reads < 4; reads += 1) await state.read(asked)
    const isVersion = ({ input }: Attempt) => JSON.stringify(input['Key'] ?? '').includes('RVV')
    const broken = processWith((attempt) => (isVersion(attempt) ? 'throttled' : null))
    const lift = { tenant: 'acme', id: block.id, by: 'uid:1000', reason: 'cleaned', atSeconds: 1 }
    await expect(broken.revocations.lift(lift)).rejects.toMatchObject(outage)
    expect(await revocations.lift(lift)).toBe(false)
    expect((await state.read(asked)).revocations).toEqual([])
  })

  test('more revocations than memory may hold are all seen, row by row, and other tenants beside them', async () => {
    const { core } = await createTables()
    const { revocations, table } = storesOver(core, plain)
    const many = Array.from({ length: 24 }, (_, at) =>
      sampleRevocation({ value: `many-${at}`, tenant: at < 20 ? 'acme' : `tenant${at}` }),
    )
    await Promise.all(many.map((revocation) => revocations.put(revocation)))
    const state = createTenantState(table, { rowsPerTenantMax: 10, rowsMax: 3 })
    for (let reads = 0; reads < 4; reads += 1)
      for (const revocation of many)
        expect(
          (await state.read({ ...query, tenant: revocation.tenant, selectors: [revocation] })).revocations,
        ).toEqual([revocation])
  })
})

describe('configuration that was half applied', () => {
  test('a version whose row is there and whose CUR is not is finished by the next writer, who is told it was not first', async () => {
    const { core } = await createTables()
    const { configs } = storesOver(core, plain)
    const version = (author: string) => ({
      tenant: 'acme',
      version: 1,
      digest: `digest-${author}`,
      author,
      commit: '',
      appliedAtSeconds: 1,
      document: '{}',
      diff: '',
    })
    const client = dynamoClient()
    clients.push(client)
    addFaults(client, first('UpdateItem', 'throttled', 'throttled', 'throttled', 'throttled'))
    await expect(storesOver(core, client).configs.put(version('first'))).rejects.toMatchObject(outage)
    expect(await configs.latest('acme')).toBeNull()
    expect(await configs.put(version('second'))).toBe(false)
    expect(await configs.latest('acme')).toMatchObject({ version: { author: 'first' } })
    expect(await configs.list()).toMatchObject([{ tenant: 'acme', version: 1, digest: 'digest-first' }])
    expect((await allRows(plain, core)).filter(({ sk }) => sk?.S?.startsWith('V#'))).toHaveLength(1)
  })
})
