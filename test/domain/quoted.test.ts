import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quoted } from '../../lib/domain/quoted.ts'

test.each([
  ['refs/heads/main', '"refs/heads/main"'],
  [true, 'true'],
  [null, 'null'],
  ['a\u009b2Jb', '"a\\u009b2Jb"'],
  ['a\u202eb', '"a\\u202eb"'],
  ['a\u2028b', '"a\\u2028b"'],
  ['a\u007fb', '"a\\u007fb"'],
  ['\u0430dmin', '"\\u0430dmin"'],
  ['\u{1f511}', '"\\ud83d\\udd11"'],
])('%j reads %s (rows 38 and 65)', (value, text) => {
  expect(quoted(value)).toBe(text)
})

test('whatever a claim holds, it is one line of printable ASCII, and reads back as the same value', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const text = quoted(value)
      return /^[\x20-\x7e]*$/.test(text) && JSON.parse(text) === value
    }),
  )
})
