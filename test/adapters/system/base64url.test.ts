import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeDecodeBase64url } from '../../../lib/adapters/system/base64url.ts'
import { decodeBase64url } from '../../../lib/domain/base64url.ts'

const asTables = (text: string): void => {
  const bytes = nodeDecodeBase64url(text)
  expect(bytes === null ? null : new Uint8Array(bytes)).toEqual(decodeBase64url(text))
}

test('it takes and refuses what the tables of the domain do, padding, spaces, the other alphabet and spare bits among it', () => {
  const character = fc.constantFrom(...'AQgwZaz09-_+/= \n\0%.é\u212a\ud800'.split(''))
  fc.assert(
    fc.property(fc.array(character, { maxLength: 9 }), (characters) => asTables(characters.join(''))),
    { numRuns: 5_000 },
  )
})

test('it reads any bytes back, in a text long enough to leave the pool of small buffers too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9_000, size: 'max' }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url')
      expect(new Uint8Array(nodeDecodeBase64url(text)!)).toEqual(bytes)
      asTables(text)
    }),
    { numRuns: 50 },
  )
})

test('a text with one character changed decodes to other bytes or to nothing, never to the same', () => {
  const text = Buffer.from('{"iss":"https://ci.example","sub":"a"}').toString('base64url')
  for (let at = 0; at < text.length; at += 1)
    for (const other of '-_+/=A \u0100') {
      if (other === text[at]) continue
      const changed = text.slice(0, at) + other + text.slice(at + 1)
      expect(nodeDecodeBase64url(changed)).not.toEqual(nodeDecodeBase64url(text))
    }
})
