import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeUtf8, utf8Length } from '../../lib/domain/utf8.ts'

test('the length of a well-formed string is that of its bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(utf8Length(text)).toBe(Buffer.byteLength(text))
    }),
  )
})

test.each([
  ['a stray continuation byte', [0x80]],
  ['a cut sequence', [0xe2, 0x82]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
])('%s is refused, not replaced (row 28)', (_, bytes) => {
  expect(decodeUtf8(new Uint8Array(bytes))).toBeNull()
})

test('a byte order mark stays in the text, where the JSON grammar refuses it', () => {
  expect(decodeUtf8(new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]))).toBe('\ufeff{}')
})
