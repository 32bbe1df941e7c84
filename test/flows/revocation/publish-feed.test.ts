// What it costs to be asked for the feed, over a real store and real keys.
import { expect, test } from 'vitest'
import { createRevocationChanges } from '../../../lib/adapters/sqlite/revocation-changes.ts'
import { FEED_SLOT } from '../../../lib/domain/key-rotation.ts'
import { rotateKeys } from '../../../lib/flows/keys/rotate-keys.ts'
import { createFeed } from '../../../lib/flows/revocation/publish-feed.ts'
import { BENCH_ISSUER, receiverBench } from '../../support/receiver-bench.ts'

test('who asks for every cursor, and for each of them many times at once, has few pages signed', async () => {
  const bench = await receiverBench([])
  await rotateKeys(bench.keys, { tenant: 'acme', needed: [FEED_SLOT] })
  const head = 300
  for (let value = 1; value <= head; value += 1) await bench.block(String(value))
  const { keys, state } = bench.ports
  let signed = 0
  const sign: typeof keys.sign = (...args) => {
    signed += 1
    return keys.sign(...args)
  }
  const config = { tenant: 'acme', issuerUrl: BENCH_ISSUER } as never
  const feed = createFeed({
    keys: { ...keys, sign },
    state,
    tenants: { peek: () => config, current: async () => config },
    changes: createRevocationChanges(bench.database),
    clock: bench.keys.clock,
    clockGuard: bench.keys.clockGuard,
  })
  const cursors = Array.from({ length: head + 1 }, (_, cursor) => cursor)
  const pages = await Promise.all([...cursors, ...cursors].map((cursor) => feed('acme', cursor)))
  expect(signed).toBe(new Set(pages).size)
  expect(signed).toBeLessThan(head / 8)
  await Promise.all(cursors.map((cursor) => feed('acme', cursor)))
  expect(signed).toBe(new Set(pages).size)
})
