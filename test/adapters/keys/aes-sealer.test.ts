import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createAesSealer } from '../../../lib/adapters/keys/aes-sealer.ts'

const sealer = createAesSealer(randomBytes(32))
const plain = Buffer.from('a private key')

test('what is sealed opens with the same associated data only', () => {
  const sealed = sealer.seal(plain, 'acme')
  expect(Buffer.from(sealer.open(sealed, 'acme'))).toEqual(plain)
  expect(() => sealer.open(sealed, 'globex')).toThrow(/altered/)
  expect(() => sealer.open(sealed, '')).toThrow(/altered/)
})

test('every altered byte is noticed: iv, ciphertext and tag', () => {
  const sealed = sealer.seal(plain, 'acme')
  for (let at = 0; at < sealed.length; at += 1) {
    const altered = Uint8Array.from(sealed)
    altered[at]! ^= 1
    expect(() => sealer.open(altered, 'acme')).toThrow(/altered/)
  }
})

test('a truncated tag is not a shorter tag', () => {
  const sealed = sealer.seal(plain, 'acme')
  for (const length of [0, 12, 27, sealed.length - 12, sealed.length - 1])
    expect(() => sealer.open(sealed.subarray(0, length), 'acme')).toThrow()
})

test('two seals of the same text differ: no iv is used twice', () => {
  expect(sealer.seal(plain, 'acme')).not.toEqual(sealer.seal(plain, 'acme'))
})

test('another master key does not open it, and the key must be whole', () => {
  expect(() => createAesSealer(randomBytes(32)).open(sealer.seal(plain, 'acme'), 'acme')).toThrow(/master key/)
  expect(() => createAesSealer(randomBytes(16))).toThrow(TypeError)
})
