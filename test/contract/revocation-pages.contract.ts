// The laws of lists of revocations (RevocationPages in lib/ports/revocations.ts), for any adapter and the store they list.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RevocationPages, RevocationStore } from '../../lib/ports/revocations.ts'
import { sampleRevocation } from './sample-rows.ts'

export type PagesHarness = {
  readonly pages: RevocationPages
  readonly store: RevocationStore
  readonly close: () => Promise<void>
}

export const describeRevocationPages = (name: string, open: () => Promise<PagesHarness>): void => {
  describe(`revocation pages: ${name}`, () => {
    let harness: PagesHarness
    beforeEach(async () => {
      harness = await open()
    })
    afterEach(() => harness.close())

    /** All that is behind a cursor, by pages of two. */
    const readOn = async (from: number) => {
      const values: string[] = []
      for (let after: number | null = from; after !== null; ) {
        const page = await harness.pages.page('acme', after, 2)
        expect(page.revocations.length).toBeLessThanOrEqual(2)
        expect(page.next ?? Number.POSITIVE_INFINITY).toBeGreaterThan(after)
        values.push(...page.revocations.map(({ value }) => value))
        after = page.next
      }
      return values
    }
    const put = (value: string, more: object = {}) => harness.store.put(sampleRevocation({ value, ...more }))

    test('more of one second than a page holds come page by page, each once, and none of another tenant', async () => {
      for (const value of ['1', '2', '3', '4', '5']) await put(value, { atSeconds: 7 })
      await put('6', { tenant: 'globex', atSeconds: 7 })
      expect(await readOn(0)).toEqual(['1', '2', '3', '4', '5'])
    })

    test('what is written between two pages is not passed over, whatever second and id it has', async () => {
      for (const [id, value] of ['1', '2', '3'].entries()) await put(value, { id: `m${id}`, atSeconds: 7 })
      const { next } = await harness.pages.page('acme', 0, 2)
      await put('4', { id: 'a', atSeconds: 7 })
      await put('5', { id: 'b', atSeconds: 1 })
      expect(await readOn(next!)).toEqual(['3', '4', '5'])
    })

    test('what is over is in no page, and ends none before the last', async () => {
      const blocks = [await put('1'), await put('2')]
      await put('3')
      for (const { tenant, id } of blocks)
        await harness.store.lift({ tenant, id, by: 'uid:1', reason: 'x', atSeconds: 9 })
      expect(new Set(await readOn(0))).toEqual(new Set(['3']))
    })

    test('a block and a cut of one name are two; one is found by its id, and one that is not there is not', async () => {
      const block = await put('1')
      const cut = await put('1', { form: 'cut', notBeforeSeconds: 50 })
      const { revocations } = await harness.pages.page('acme', 0, 9)
      expect(revocations).toEqual([block, cut])
      expect([await harness.pages.find('acme', cut.id), await harness.pages.find('globex', cut.id)]).toEqual([
        cut,
        null,
      ])
    })

    test('of a tenant without revocations there is one page, and it is empty', async () => {
      expect(await harness.pages.page('acme', 0, 2)).toEqual({ revocations: [], next: null })
    })
  })
}
