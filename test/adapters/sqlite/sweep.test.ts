// What is deleted without being asked for, and above all what is not: a marker that goes too early lets evidence be redeemed twice.
import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createChangeFeed } from '../../../lib/adapters/sqlite/change-feed.ts'
import { createGrantStore } from '../../../lib/adapters/sqlite/grant-store.ts'
import { createProofGuards } from '../../../lib/adapters/sqlite/proof-guards.ts'
import { startSweep } from '../../../lib/adapters/sqlite/sweep.ts'
import { startTimeMark } from '../../../lib/adapters/sqlite/time-mark.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { createClockGuard } from '../../../lib/flows/guard-clock.ts'
import { NOW_SECONDS, samplePut } from '../../contract/sample-rows.ts'
import { open, temporaryDirectory } from './temporary-database.ts'

const DAY_MS = 24 * 3_600_000

const setUp = () => {
  const database = open(temporaryDirectory())
  let nowMs = NOW_SECONDS * 1_000
  let monotonicMs = 0
  const clock = {
    nowMs: () => nowMs,
    nowSeconds: () => Math.floor(nowMs / 1_000),
    monotonicMs: () => monotonicMs,
  }
  const mark = startTimeMark(database)
  const guard = createClockGuard(clock, mark)
  const sweep = startSweep(database, clock, guard.isTrusted)
  onTestFinished(async () => {
    sweep.close()
    await mark.close()
  })
  const grants = createGrantStore(database)
  const put = async (id = randomUUID()) => {
    const one = samplePut(id)
    expect((await grants.put(one)).outcome).toBe('created')
    return one
  }
  const isRedeemed = async (one: ReturnType<typeof samplePut>) => (await grants.find('acme', one.guard)) !== null
  /** Rows are walked through, and then from the beginning again. */
  const all = async () => {
    for (let steps = 0; steps < 4; steps += 1) await sweep.step()
  }
  return {
    database,
    guard,
    sweep,
    all,
    put,
    isRedeemed,
    proofs: createProofGuards(database),
    stepClock: (ms: number) => {
      nowMs += ms
    },
    pass: (ms: number) => {
      nowMs += ms
      monotonicMs += ms
    },
  }
}

test('a marker stays as long as records are kept, and then goes; the last row stays, or its number would come again', async () => {
  const { put, isRedeemed, all, pass } = setUp()
  const puts = [await put(), await put(), await put()]
  pass(LIMITS.recordKeepSeconds * 1_000)
  await all()
  expect(await Promise.all(puts.map(isRedeemed))).toEqual([true, true, true])
  pass(DAY_MS)
  await all()
  expect(await Promise.all(puts.map(isRedeemed))).toEqual([false, false, true])
})

test('what no log has taken over stays, however old', async () => {
  const { database, put, isRedeemed, all, pass } = setUp()
  const [first, second] = [await put(), await put(), await put()]
  const feed = createChangeFeed(database)
  await feed.acknowledge('audit', 'grant', 1)
  pass(30 * DAY_MS)
  await all()
  expect([await isRedeemed(first), await isRedeemed(second!)]).toEqual([false, true])
})

test('a clock that jumps ahead and comes back has let no marker and no proof go', async () => {
  const { put, isRedeemed, sweep, guard, stepClock, pass, proofs } = setUp()
  const puts = [await put(), await put()]
  const proof = { hash: 'h'.repeat(43), keepUntilSeconds: NOW_SECONDS + 150 }
  expect(await proofs.spend('acme', proof)).toBe(true)
  expect(guard.isTrusted()).toBe(true)
  stepClock(400 * DAY_MS)
  for (let seconds = 0; seconds < LIMITS.clockRebaseSeconds; seconds += 1) {
    await expect(sweep.step()).rejects.toThrow('clock_untrusted')
    pass(1_000)
  }
  stepClock(-400 * DAY_MS)
  await sweep.step()
  expect(await Promise.all(puts.map(isRedeemed))).toEqual([true, true])
  expect(await proofs.spend('acme', proof)).toBe(false)
  expect(guard.isTrusted()).toBe(true)
})

test('what was swept under a clock that was believed is not forgotten: behind it mint stands still', async () => {
  const { put, sweep, guard, stepClock, pass } = setUp()
  await put()
  await put()
  stepClock(400 * DAY_MS)
  await expect(sweep.step()).rejects.toThrow('clock_untrusted')
  pass(LIMITS.clockRebaseSeconds * 1_000)
  expect(await sweep.step()).toBeGreaterThan(0)
  stepClock(-400 * DAY_MS)
  pass(LIMITS.clockRebaseSeconds * 2_000)
  expect(guard.isTrusted()).toBe(false)
})
