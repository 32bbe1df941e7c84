import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { rawSignature } from '../../../lib/adapters/keys/raw-signature.ts'

const integer = (hex: string): Buffer => Buffer.concat([Buffer.from([2, hex.length / 2]), Buffer.from(hex, 'hex')])
const der = (r: string, s: string): Buffer => {
  const body = Buffer.concat([integer(r), integer(s)])
  return Buffer.concat([Buffer.from([0x30, body.length]), body])
}

test.each([
  ['full length', '11'.repeat(32), '22'.repeat(32)],
  ['with the zero that keeps it positive', `00${'ff'.repeat(32)}`, `00${'80'.repeat(32)}`],
  ['short: padded on the left', '01', '7f01'],
  ['one of each', `00${'ff'.repeat(32)}`, '05'],
])('DER to r ‖ s, %s', (_, r, s) => {
  expect(rawSignature(der(r, s)).toString('hex')).toBe([r, s].map((part) => part.slice(-64).padStart(64, '0')).join(''))
})

test('real signatures of every DER length verify as ieee-p1363', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const lengths = new Set<number>()
  for (let count = 0; count < 600; count += 1) {
    const data = Buffer.from(String(count))
    const signature = sign('sha256', data, privateKey)
    lengths.add(signature.length)
    expect(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, rawSignature(signature))).toBe(true)
  }
  expect(lengths.size).toBeGreaterThanOrEqual(3)
})

test('what is not a DER signature is a bug, not a signature', () => {
  expect(() => rawSignature(Buffer.alloc(70))).toThrow(TypeError)
  expect(() => rawSignature(Buffer.concat([der('01', '02'), Buffer.from([0])]))).toThrow(TypeError)
})
