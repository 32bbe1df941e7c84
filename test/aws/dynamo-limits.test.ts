// Rates and the clock mark over several processes, with DynamoDB between them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRateCounters } from '../../lib/adapters/aws/dynamo-rate-counters.ts'
import { type Table, tableOf } from '../../lib/adapters/aws/dynamo-request.ts'
import { startTimeMark } from '../../lib/adapters/aws/dynamo-time-mark.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { countRequests } from '../support/dynamodb-counter.ts'
import { addFaults } from '../support/dynamodb-faults.ts'
import { createTables } from '../support/dynamodb-local.ts'
import { handClock } from '../support/own-keys.ts'
import { dynamoClient } from './dynamo-stores.ts'

const client = dynamoClient()
let name: string
let table: Table
beforeAll(async () => {
  name = (await createTables()).core
  table = tableOf(name, client, 20_000)
})
afterAll(() => client.destroy())

const noFailure = (cause: unknown) => {
  throw cause
}

describe('rates', () => {
  const RATE = [10, 160] as const // a step is 10
  const counters = (clock = handClock(), over = table) =>
    createRateCounters({ table: over, clock, onFailure: noFailure })
  const take = async (limiter: ReturnType<typeof counters>, bucket: string, times: number) => {
    let allowed = 0
    for (let at = 0; at < times; at += 1) if ((await limiter.take(bucket, RATE)).allowed) allowed += 1
    return allowed
  }

  const expectBurst = (allowed: number) => {
    expect(allowed).toBeGreaterThanOrEqual(160)
    expect(allowed).toBeLessThanOrEqual(160 + 10)
  }

  test('one process may use its burst, to within a step, and then what the rate gives', async () => {
    const clock = handClock()
    const limiter = counters(clock)
    expectBurst(await take(limiter, 'one', 400))
    const refused = await limiter.take('one', RATE)
    expect(refused).toMatchObject({ allowed: false })
    expect(refused.retryAfterSeconds).toBeGreaterThan(0)
    clock.add(10)
    const later = await take(limiter, 'one', 400)
    expect(later).toBeGreaterThanOrEqual(90)
    expect(later).toBeLessThanOrEqual(110)
  })

  test('five processes share one burst, to within a step each', async () => {
    const clock = handClock()
    const limiters = Array.from({ length: 5 }, () => counters(clock))
    let allowed = 0
    for (let at = 0; at < 100; at += 1)
      for (const limiter of limiters) if ((await limiter.take('shared', RATE)).allowed) allowed += 1
    expect(allowed).toBeGreaterThanOrEqual(160)
    expect(allowed).toBeLessThanOrEqual(160 + 5 * 10)
  })

  test('buckets are apart, and what was not used up is forgiven with time', async () => {
    const clock = handClock()
    const limiter = counters(clock)
    expectBurst(await take(limiter, 'a', 200))
    expect(await take(limiter, 'b', 5)).toBe(5)
    clock.add(60)
    expect(await take(limiter, 'a', 100)).toBe(100)
  })

  test('requests within a step, and a flood that is refused, ask the store nothing', async () => {
    const counted = dynamoClient()
    const counter = countRequests(counted)
    const limiter = counters(handClock(), tableOf(name, counted, 20_000))
    await take(limiter, 'quiet', 9)
    expect(counter.take().requests).toEqual({})
    await take(limiter, 'quiet', 191)
    const { UpdateItem } = counter.take().requests
    expect(UpdateItem).toBeLessThanOrEqual(20)
    await take(limiter, 'quiet', 1_000)
    expect(counter.take().requests).toEqual({})
    counted.destroy()
  })

  test('a store that fails lets everybody through, and says so', async () => {
    const broken = dynamoClient()
    addFaults(broken, () => 'throttled')
    let failures = 0
    const limiter = createRateCounters({
      table: tableOf(name, broken),
      clock: handClock(),
      onFailure: () => {
        failures += 1
      },
    })
    expect(await take(limiter, 'broken', 50)).toBe(50)
    expect(failures).toBe(5)
    broken.destroy()
  })
})

describe('the clock mark', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const clockAt = (startSeconds: number) => handClock(startSeconds)

  test('a time seen by one process is known to the next that starts, and never falls', async () => {
    const one = await startTimeMark({ table, clock: clockAt(now()) })
    expect(one.raise(now())).toBe(true)
    await one.flushIfDue()
    const seen = one.highestSeconds()
    const two = await startTimeMark({ table, clock: clockAt(now()) })
    expect(two.highestSeconds()).toBe(seen)
    expect(two.raise(seen - 100)).toBe(true)
    await two.flushIfDue()
    expect((await startTimeMark({ table, clock: clockAt(now()) })).highestSeconds()).toBe(seen)
  })

  test('a process whose clock is behind what another has seen may not judge times', async () => {
    const one = await startTimeMark({ table, clock: clockAt(now()) })
    one.raise(now())
    await one.flushIfDue()
    const behind = clockAt(now() - 2 * LIMITS.clockStepSecondsMax)
    expect(createClockGuard(behind, await startTimeMark({ table, clock: behind })).isTrusted()).toBe(false)
    const right = clockAt(now())
    expect(createClockGuard(right, await startTimeMark({ table, clock: right })).isTrusted()).toBe(true)
  })

  test("a process whose clock is far ahead of the store's own may not judge times, and does not stop the others", async () => {
    const ahead = clockAt(now() + 3_600)
    const mark = await startTimeMark({ table, clock: ahead })
    expect(createClockGuard(ahead, mark).isTrusted()).toBe(false)
    await mark.flushIfDue()
    const right = clockAt(now())
    expect(createClockGuard(right, await startTimeMark({ table, clock: right })).isTrusted()).toBe(true)
  })

  test('it is written every half minute at most', async () => {
    const counted = dynamoClient()
    const counter = countRequests(counted)
    const clock = clockAt(now())
    const mark = await startTimeMark({ table: tableOf(name, counted, 20_000), clock })
    counter.take()
    let written = 0
    for (let second = 0; second < 25; second += 1) {
      mark.raise(clock.nowSeconds())
      await mark.flushIfDue()
      clock.add(1)
      written += counter.take().requests['UpdateItem'] ?? 0
    }
    expect(written).toBeLessThanOrEqual(1)
    counted.destroy()
  })

  test('a store that does not answer when a process starts keeps it from starting', async () => {
    const broken = dynamoClient()
    addFaults(broken, () => 'broken')
    await expect(startTimeMark({ table: tableOf(name, broken), clock: clockAt(now()) })).rejects.toMatchObject({
      name: 'Unavailable',
    })
    broken.destroy()
  })
})
