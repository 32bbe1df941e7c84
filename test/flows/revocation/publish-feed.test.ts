// What it costs to be asked for the feed, over a real store and real keys.
import { expect, test } from 'vitest'
import { createMemoryRateLimiter, unlimitedRates } from '../../../lib/adapters/memory/rate-limiter.ts'
import { createRevocationChanges } from '../../../lib/adapters/sqlite/revocation-changes.ts'
import { FEED_SLOT } from '../../../lib/domain/key-rotation.ts'
import { LIMITS } from '../../../lib/domain/limits.ts'
import { rotateKeys } from '../../../lib/flows/keys/rotate-keys.ts'
import { createFeed } from '../../../lib/flows/revocation/publish-feed.ts'
import type { RateLimiter } from '../../../lib/ports/rate-limiter.ts'
import { BENCH_ISSUER, receiverBench } from '../../support/receiver-bench.ts'

const signingBench = async () => {
  const bench = await receiverBench([])
  await rotateKeys(bench.keys, { tenant: 'acme', needed: [FEED_SLOT] })
  const { ring: keys, state } = bench
  let signed = 0
  const signCompact: typeof keys.signCompact = (...args) => {
    signed += 1
    return keys.signCompact(...args)
  }
  const config = { tenant: 'acme', issuerUrl: BENCH_ISSUER } as never
  const feedAt = (rates: RateLimiter) =>
    createFeed({
      keys: { ...keys, signCompact },
      state,
      tenants: { peek: () => config, current: async () => config },
      changes: createRevocationChanges(bench.database),
      clock: bench.keys.clock,
      clockGuard: bench.keys.clockGuard,
      rates,
    })
  return { ...bench, feedAt, signed: () => signed }
}

test('who asks for every cursor, and for each of them many times at once, has few pages signed', async () => {
  const { block, feedAt, signed } = await signingBench()
  const head = 300
  for (let value = 1; value <= head; value += 1) await block(String(value))
  const feed = feedAt(unlimitedRates)
  const cursors = Array.from({ length: head + 1 }, (_, cursor) => cursor)
  const pages = await Promise.all([...cursors, ...cursors].map((cursor) => feed('acme', cursor)))
  expect(signed()).toBe(new Set(pages).size)
  expect(signed()).toBeLessThan(head / 8)
  await Promise.all(cursors.map((cursor) => feed('acme', cursor)))
  expect(signed()).toBe(new Set(pages).size)
})

test('who asks for all of history has the rate of history only: verifiers near the head and those that begin have their pages', async () => {
  const { block, feedAt, keys } = await signingBench()
  let head = 0
  const blockOne = async () => {
    head += 1
    await block(String(head))
  }
  while (head < 400) await blockOne()
  const feed = feedAt(createMemoryRateLimiter(keys.clock))
  // Distinct starts are few: with every revocation they are to be signed again.
  let isDrained = false
  for (let round = 0; round < 20 && !isDrained; round += 1) {
    for (let cursor = 1; cursor < head - 2 * LIMITS.feedLiveChanges; cursor += 1)
      isDrained ||= await feed('acme', cursor).then(
        () => false,
        ({ kind }) => kind === 'overloaded',
      )
    await blockOne()
  }
  expect(isDrained).toBe(true)
  for (let more = 0; more < LIMITS.feedPageRate[1] + 10; more += 1) {
    await blockOne()
    for (const cursor of [head, head - 4]) expect(await feed('acme', cursor)).not.toBeNull()
  }
  expect(await feed('acme', 0)).not.toBeNull()
})

test('while revocations come without end, whoever asks after each of them has no more snapshots made than the rate of a tenant', async () => {
  const { block, feedAt, signed, keys } = await signingBench()
  const feed = feedAt(createMemoryRateLimiter(keys.clock))
  const [perSecond, burst] = LIMITS.feedPageRate
  const pages: (string | null)[] = []
  for (let value = 1; value <= LIMITS.feedLiveChanges; value += 1) await block(`before ${value}`)
  for (let value = 1; value <= burst + 20; value += 1) {
    await block(String(value))
    pages.push(await feed('acme', 0))
  }
  expect(signed()).toBe(burst)
  // Who begins still has one, of a moment ago.
  expect(new Set(pages.slice(burst - 1)).size).toBe(1)
  keys.clock.add(1)
  for (let value = 0; value < 2 * perSecond; value += 1) {
    await block(`later ${value}`)
    await feed('acme', 0)
  }
  expect(signed()).toBe(burst + perSecond)
})
