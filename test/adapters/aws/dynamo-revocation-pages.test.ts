import { expect, test } from 'vitest'
import { createRevocationPages } from '../../../lib/adapters/aws/dynamo-revocation-pages.ts'
import { sampleRevocation } from '../../contract/sample-rows.ts'

/** Seconds of revocations; in the order the store lists them. */
const listOf = (seconds: readonly number[]) => ({
  list: async () => seconds.map((atSeconds, at) => sampleRevocation({ id: String(at), atSeconds })),
})

test.each([
  ['one a second', [1, 2, 3, 4, 5]],
  ['all in one second', [7, 7, 7, 7, 7]],
  ['a second that a page would cut in two', [1, 2, 2, 2, 3]],
  ['none', []],
])('%s: page after page gives each of them once', async (_, seconds) => {
  const pages = createRevocationPages(listOf(seconds))
  const ids: string[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page = await pages.page('acme', after, 2)
    ids.push(...page.revocations.map(({ id }) => id))
    after = page.next
  }
  expect(ids).toEqual(seconds.map((_, at) => String(at)))
})

test('one is found by its id, and one that is not there is not', async () => {
  const pages = createRevocationPages(listOf([1, 2]))
  expect(await pages.find('acme', '1')).toMatchObject({ id: '1' })
  expect(await pages.find('acme', '2')).toBeNull()
})
