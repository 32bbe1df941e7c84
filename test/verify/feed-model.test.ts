// The whole way from rows to a verifier's view, over a real SQLite store, with changes at every point between two pages: whatever
// the interleaving, a view that calls itself current knows everything that was in force when its last page was made.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { unlimitedRates } from '../../lib/adapters/memory/rate-limiter.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createRevocationChanges } from '../../lib/adapters/sqlite/revocation-changes.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { FEED_SLOT, publishedKeys } from '../../lib/domain/key-rotation.ts'
import { rotateKeys } from '../../lib/flows/keys/rotate-keys.ts'
import { createFeed } from '../../lib/flows/revocation/publish-feed.ts'
import type { Deviation } from '../../lib/verify/deviation.ts'
import type { Handle } from '../../lib/verify/handle-table.ts'
import { readHandleList } from '../../lib/verify/handles.ts'
import { createKeyCache } from '../../lib/verify/key-cache.ts'
import { createRevocationView } from '../../lib/verify/revocation-view.ts'
import { jwksDocument } from '../../lib/wire/jwks.ts'
import { ownKeys } from '../support/own-keys.ts'

const dir = mkdtempSync(join(tmpdir(), 'mintmark-feed-'))
const database = openDatabase({ dataDir: dir, dev: false })
afterAll(() => {
  database.close()
  rmSync(dir, { recursive: true })
})

const store = createRevocationStore(database)
const VALUES = ['1', '2', '3', '4', '5', '6']
const BOUND = 1_900_000_000

type Step =
  | { readonly kind: 'block' | 'lift'; readonly value: string }
  | { readonly kind: 'cut'; readonly value: string; readonly seconds: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('block' as const, 'lift' as const), value: fc.constantFrom(...VALUES) }),
  fc.record({
    kind: fc.constant('cut' as const),
    value: fc.constantFrom(...VALUES),
    seconds: fc.integer({ min: 0, max: 9 }),
  }),
)

const lift = async (tenant: string, value: string): Promise<void> => {
  const found = (await store.list(tenant)).find((row) => row.value === value && row.form === 'block')
  if (found) await store.lift({ tenant, id: found.id, by: 'x', reason: 'x', atSeconds: 1 })
}

const put = (tenant: string, { kind, value, ...more }: Step) => {
  const notBeforeSeconds = 'seconds' in more ? BOUND + more.seconds : null
  const rest = { kind: 'actor', issuer: 'github', value, reason: 'x', by: 'x', atSeconds: 1 } as const
  return store.put({ id: randomUUID(), tenant, form: kind === 'cut' ? 'cut' : 'block', notBeforeSeconds, ...rest })
}

/** One after the other; those that follow one another without a lift share a commit. */
const takeAll = async (tenant: string, steps: readonly Step[]): Promise<void> => {
  const writing: Promise<unknown>[] = []
  for (const step of steps) {
    if (step.kind !== 'lift') writing.push(put(tenant, step))
    else {
      await Promise.all(writing.splice(0))
      await lift(tenant, step.value)
    }
  }
  await Promise.all(writing)
}

test('a current view is what was in force, whatever changed between its pages and however small they are', async () => {
  const keys = ownKeys()
  let runs = 0
  let earlier = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.array(step, { maxLength: 3 }), fc.array(step, { minLength: 20, maxLength: 40 })), {
        minLength: 1,
        maxLength: 30,
      }),
      fc.constantFrom(1, 2, 3, 16, 64),
      async (between, changesPerPage) => {
        runs += 1
        const tenant = `t${runs}a`
        await rotateKeys(keys, { tenant, needed: [FEED_SLOT] })
        const ring = createLocalKeyRing({ ...keys, use: 'signal' })
        const issuer = `https://sts.example.com/t/${tenant}`
        const config = { tenant, issuerUrl: issuer } as never
        const feed = createFeed({
          ...keys,
          keys: ring,
          tenants: { peek: () => config, current: async () => config },
          state: { read: async () => ({ configVersion: 1, revocations: [], keyState: 'active' }) },
          changes: createRevocationChanges(database),
          rates: unlimitedRates,
          changesPerPage,
        })
        const deviations: Deviation[] = []
        const report = (deviation: Deviation) => deviations.push(deviation)
        const waiting = [...between]
        const published = jwksDocument(publishedKeys(await keys.store.list(tenant), 'signal'))
        const fetch = async (url: string) => {
          await takeAll(tenant, waiting.shift() ?? [])
          const cursor = Number(new URL(url).searchParams.get('since') ?? 0)
          const page = await feed(tenant, cursor)
          const { since } = JSON.parse(Buffer.from(page!.split('.')[1]!, 'base64url').toString()) as { since: number }
          if (since < cursor) earlier += 1
          return new Response(page)
        }
        const cache = createKeyCache({ source: published, fetch, clock: keys.clock, report })
        const view = createRevocationView({
          issuer,
          url: `${issuer}/revocations`,
          keys: cache,
          boundSeconds: 60,
          seen: null,
          fetch,
          clock: keys.clock,
          report,
        })
        while (waiting.length > 0) await view.refresh()
        await view.refresh()
        expect([deviations, view.isCurrent()]).toEqual([[], true])
        const inForce = await store.list(tenant)
        for (const value of VALUES) {
          const handle = (await ring.handle(tenant, 'actor', 'github', value)) as string
          const handles = readHandleList([handle]) as readonly Handle[]
          const isBlocked = inForce.some((row) => row.value === value && row.form === 'block')
          const bound = inForce.find((row) => row.value === value && row.form === 'cut')?.notBeforeSeconds ?? 0
          expect(view.isRevoked(handles, BOUND + 100)).toBe(isBlocked)
          expect(view.isRevoked(handles, bound)).toBe(isBlocked)
          if (bound > 0) expect(view.isRevoked(handles, bound - 1)).toBe(true)
        }
      },
    ),
    { numRuns: 60 },
  )
  // Or the pages that begin before their cursor were none of them.
  expect(earlier).toBeGreaterThan(0)
})
