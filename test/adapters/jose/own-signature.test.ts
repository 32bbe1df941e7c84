import { generateKeyPairSync, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { createOwnSignatures } from '../../../lib/adapters/jose/own-signature.ts'

const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicJwk = publicKey.export({ format: 'jwk' }) as { kty: 'EC'; crv: 'P-256'; x: string; y: string }
  const signed = (text: string) =>
    new Uint8Array(sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }))
  return { row: { publicJwk } as never, signed }
}

test('a token that was good is good again, and nothing else is because of it', () => {
  const [ours, other] = [pair(), pair()]
  const signatures = createOwnSignatures()
  const signature = ours.signed('header.payload')
  expect(signatures.verifyOwn('ES256', ours.row, 'header.payload', signature)).toBe(true)
  expect(signatures.verifyOwn('ES256', ours.row, 'header.payload', signature)).toBe(true)
  expect(signatures.verifyOwn('ES256', ours.row, 'header.payloaD', signature)).toBe(false)
  expect(signatures.verifyOwn('ES256', other.row, 'header.payload', signature)).toBe(false)
  const flipped = Uint8Array.from(signature, (byte, at) => (at === 63 ? byte ^ 1 : byte))
  expect(signatures.verifyOwn('ES256', ours.row, 'header.payload', flipped)).toBe(false)
})

test('a token that was refused is judged anew, not believed for having been seen', () => {
  const ours = pair()
  const signatures = createOwnSignatures()
  const signature = pair().signed('header.payload')
  for (let count = 0; count < 2; count += 1)
    expect(signatures.verifyOwn('ES256', ours.row, 'header.payload', signature)).toBe(false)
})
