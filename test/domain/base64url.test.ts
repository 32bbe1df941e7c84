import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../../lib/domain/base64url.ts'

test('what it encodes is what Buffer encodes, and decodes to the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = encodeBase64url(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('base64url'))
      expect(decodeBase64url(text)).toEqual(new Uint8Array(bytes))
    }),
  )
})

test('no two texts decode to the same bytes: every accepted text is the encoding of its bytes', () => {
  const character = fc.constantFrom(...'AQgwZaz09-_+/= \n%.é'.split(''))
  fc.assert(
    fc.property(fc.array(character, { maxLength: 9 }), (characters) => {
      const text = characters.join('')
      const bytes = decodeBase64url(text)
      if (bytes !== null) expect(encodeBase64url(bytes)).toBe(text)
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['padding', 'QQ=='],
  ['an escaped padding', 'QQ%3D%3D'],
  ['a space', 'QUFB QUFB'],
  ['a line end', 'QUFB\n'],
  ['a tab', '\tQUFB'],
  ['the alphabet of base64', '+/+/'],
  ['a length no encoder makes', 'QUFBQ'],
  ['bits after one byte', 'QR'],
  ['bits after two bytes', 'QUF'],
  ['NUL', 'QUF\0'],
  ['a letter that folds to ASCII (Kelvin sign)', 'QUF\u212a'],
  ['a lone surrogate', 'QUF\ud800'],
  ['a dot', 'QUFB.QUFB'],
])('%s is refused, not repaired (row 15)', (_, text) => {
  expect(decodeBase64url(text)).toBeNull()
})

test('the empty text is no bytes', () => {
  expect(decodeBase64url('')).toEqual(new Uint8Array())
  expect(encodeBase64url(new Uint8Array())).toBe('')
})
