// Where pages of the feed begin: whoever asks for every cursor makes few of them, and each still goes on for who asked.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { pageStart } from '../../lib/domain/revocation-feed.ts'

test('all cursors of a feed of 100,000 changes are a few dozen pages, and few of those are long', () => {
  const head = 100_000
  const starts = new Set<number>()
  for (let cursor = 0; cursor <= head; cursor += 1) starts.add(pageStart(cursor, head, LIMITS.feedChangesPerPage))
  expect(starts.size).toBeLessThan(100)
  const changes = [...starts].reduce((sum, start) => sum + Math.min(head - start, LIMITS.feedChangesPerPage), 0)
  expect(changes).toBeLessThan(4 * head)
})

test('a page begins at its cursor or before it, never as a snapshot, and always ends behind it', () => {
  const counts = fc.oneof(fc.nat(20), fc.nat(100_000))
  fc.assert(
    fc.property(counts, counts, fc.integer({ min: 1, max: 10_000 }), (cursor, behind, changesPerPage) => {
      const head = cursor + behind
      const start = pageStart(cursor, head, changesPerPage)
      expect(start === 0).toBe(cursor === 0)
      expect(start).toBeLessThanOrEqual(cursor)
      expect(Math.min(start + changesPerPage, head)).toBeGreaterThanOrEqual(Math.min(cursor + 1, head))
      // What is read twice is a quarter of what is new at the most.
      expect(cursor - start).toBeLessThanOrEqual(behind / 4)
    }),
    { numRuns: 500 },
  )
})
