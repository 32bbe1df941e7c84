// The laws of the order of changes (lib/ports/revocation-feed.ts), for any adapter and the store that makes the changes.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Revocation } from '../../lib/domain/revocation.ts'
import type { RevocationChanges } from '../../lib/ports/revocation-feed.ts'
import type { RevocationStore } from '../../lib/ports/revocations.ts'
import { sampleRevocation } from './sample-rows.ts'

export type ChangesHarness = {
  readonly changes: RevocationChanges
  /** Two processes over one store. */
  readonly stores: readonly [RevocationStore, RevocationStore]
  readonly close: () => Promise<void>
}

const lift = ({ tenant, id }: Revocation) => ({ tenant, id, by: 'uid:1', reason: 'x', atSeconds: 2 })

export const describeRevocationChanges = (name: string, open: () => Promise<ChangesHarness>): void => {
  describe(`revocation changes: ${name}`, () => {
    let harness: ChangesHarness
    beforeEach(async () => {
      harness = await open()
    })
    afterEach(() => harness.close())

    /** As a verifier follows: page after page until it has seen the head. */
    const follow = async (cursor: number, max: number) => {
      const seen: (readonly [string, string, boolean, number | null])[] = []
      for (;;) {
        const { head, next, changes } = await harness.changes.since('acme', cursor, max)
        expect(changes.length).toBeLessThanOrEqual(max)
        seen.push(...changes.map((c) => [c.value, c.form, c.isLifted, c.notBeforeSeconds] as const))
        cursor = next
        if (next === head) return { head, seen }
      }
    }

    test('a tenant without revocations is at 0, and another tenant’s changes do not move it', async () => {
      expect(await harness.changes.since('acme', 0, 9)).toEqual({ head: 0, next: 0, changes: [] })
      await harness.stores[0].put(sampleRevocation({ tenant: 'globex' }))
      expect([await harness.changes.head('acme'), await harness.changes.head('globex')]).toEqual([0, 1])
    })

    test('whoever follows page by page sees each revocation as it is now, blocks, cuts and lifts, in the order of their last change', async () => {
      const [store] = harness.stores
      const one = await store.put(sampleRevocation({ value: '1' }))
      await store.put(sampleRevocation({ value: '2', form: 'cut', notBeforeSeconds: 50 }))
      await store.put(sampleRevocation({ value: '2', form: 'cut', notBeforeSeconds: 60 }))
      await store.put(sampleRevocation({ value: '2' }))
      await store.lift(lift(one))
      const last = new Map((await follow(0, 2)).seen.map((change) => [`${change[0]} ${change[1]}`, change]))
      expect([...last.values()].sort()).toEqual([
        ['1', 'block', true, null],
        ['2', 'block', false, null],
        ['2', 'cut', false, 60],
      ])
    })

    test('a cursor sees what came after it and nothing before: the head never falls', async () => {
      const [store] = harness.stores
      await store.put(sampleRevocation({ value: '1' }))
      const at = await harness.changes.head('acme')
      await store.put(sampleRevocation({ value: '2' }))
      const { head, seen } = await follow(at, 9)
      expect(head).toBeGreaterThan(at)
      expect(seen.map(([value]) => value)).toEqual(['2'])
      expect((await follow(head, 9)).seen).toEqual([])
    })

    test('a block that was lifted and put again is blocked for whoever reads on', async () => {
      const [store] = harness.stores
      await store.lift(lift(await store.put(sampleRevocation({ value: '1' }))))
      const at = await harness.changes.head('acme')
      await store.put(sampleRevocation({ value: '1' }))
      expect((await follow(at, 9)).seen).toEqual([['1', 'block', false, null]])
    })

    test('of two processes that write at once no two changes share a number and none is left out (compare-and-set)', async () => {
      const count = 24
      await Promise.all(
        Array.from({ length: count }, (_, at) => harness.stores[at % 2]!.put(sampleRevocation({ value: String(at) }))),
      )
      const { head, seen } = await follow(0, 7)
      expect([head, new Set(seen.map(([value]) => value)).size]).toEqual([count, count])
    })
  })
}
