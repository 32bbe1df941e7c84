// What a sink answers may be as large as it likes to make it: work and memory go by what was sent.
import { expect, test } from 'vitest'
import { bulkAnswer, hecIndexed } from '../../lib/wire/sink-answers.ts'

/** Fails the test where it is looked at. */
const untouchable = <T extends object>(of: T, ...names: readonly PropertyKey[]): T => {
  for (const name of names)
    Object.defineProperty(of, name, {
      enumerable: true,
      get: () => {
        throw new Error(`${String(name)} was looked at`)
      },
    })
  return of
}
const NOT_ITS_PROTOCOL = { kind: 'later', trouble: 'not_its_protocol', retryAfterMs: null }

test('a bulk answer for another number of events is refused before any item is looked at', () => {
  expect(bulkAnswer({ items: untouchable(new Array(3), 0, 1, 2) }, 2)).toEqual(NOT_ITS_PROTOCOL)
})

test('of the items of a bulk answer none is looked at behind the first that is none', () => {
  expect(bulkAnswer({ items: untouchable([{}, null], 1) }, 2)).toEqual(NOT_ITS_PROTOCOL)
})

test('of acknowledgements only those that were asked for are looked at', () => {
  expect(hecIndexed({ acks: untouchable({ 1: true, 2: false }, 3) }, [1, 2, 4])).toEqual([1])
})

test.each([
  ['a list', [true, true]],
  ['a word for a truth', { 1: 'true' }],
  ['nothing', null],
])('acknowledgements that are %s are not those of a collector', (_, acks) => {
  expect(hecIndexed({ acks }, [1])).toBeNull()
})
