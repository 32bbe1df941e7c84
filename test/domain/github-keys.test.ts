// GitHub's keys and signatures in our forms, against node:crypto as the other reader of both.
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { encodeBase64url } from '../../lib/domain/base64url.ts'
import { githubKeySet, rawSignature } from '../../lib/domain/github-keys.ts'

const pair = (curve: string) => generateKeyPairSync('ec', { namedCurve: curve })
const pem = (key: ReturnType<typeof pair>['publicKey']) => String(key.export({ type: 'spki', format: 'pem' }))

test('a PEM key is the same key as JWK', () => {
  const { publicKey } = pair('P-256')
  const { keys } = githubKeySet({ public_keys: [{ key_identifier: 'k1', key: pem(publicKey), is_current: true }] })
  expect(keys).toEqual([{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig' }])
  expect(createPublicKey({ key: (keys as never)[0], format: 'jwk' }).equals(publicKey)).toBe(true)
})

test.each([
  ['another curve', pem(pair('P-384').publicKey)],
  [
    'RSA',
    String(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' })),
  ],
  ['a private key', String(pair('P-256').privateKey.export({ type: 'pkcs8', format: 'pem' }))],
  ['text', 'ssh-ed25519 AAAA'],
  ['nothing', null],
])('left out, and the rest stays: %s', (_, key) => {
  const good = { key_identifier: 'good', key: pem(pair('P-256').publicKey) }
  const { keys } = githubKeySet({ public_keys: [{ key_identifier: 'bad', key }, good] })
  expect((keys as readonly { kid: string }[]).map(({ kid }) => kid)).toEqual(['good'])
})

test.each([null, [], {}, { public_keys: {} }, { public_keys: ['x'] }])(
  'no list of keys is an empty set: %j',
  (answer) => {
    expect(githubKeySet(answer as never)).toEqual({ keys: [] })
  },
)

test('every signature of node is read as the r and s that node writes itself, short ones among them', () => {
  const { privateKey } = pair('P-256')
  let short = 0
  for (let at = 0; at < 2_000; at += 1) {
    const der = sign('sha256', Buffer.from(String(at)), privateKey)
    const raw = rawSignature(der.toString('base64'))
    expect(raw).not.toBeNull()
    expect(derOf(raw!).equals(der)).toBe(true)
    if (raw![0] === 0 || raw![32] === 0) short += 1
  }
  expect(short).toBeGreaterThan(0)
})

/** r and s as DER, by another hand. */
const derOf = (raw: Uint8Array): Buffer => {
  const integers = [raw.subarray(0, 32), raw.subarray(32)].map((half) => {
    const hex = BigInt(`0x${Buffer.from(half).toString('hex')}`).toString(16)
    const even = hex.length % 2 === 0 ? hex : `0${hex}`
    const bytes = Buffer.from(Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even, 'hex')
    return Buffer.concat([Buffer.from([0x02, bytes.length]), bytes])
  })
  const body = Buffer.concat(integers)
  return Buffer.concat([Buffer.from([0x30, body.length]), body])
}

test('what is not the one way DER has of writing it is no signature', () => {
  const der = [...sign('sha256', Buffer.from('x'), pair('P-256').privateKey)]
  const bytes = (...change: number[]) => Buffer.from(change).toString('base64')
  const r = der[3]!
  expect(rawSignature(bytes(...der))).not.toBeNull()
  for (const wrong of [
    '',
    'not base64!',
    bytes(...der, 0),
    bytes(...der.slice(0, -1)),
    bytes(0x31, ...der.slice(1)),
    bytes(0x30, 0x81, der.length - 2, ...der.slice(2)),
    bytes(0x30, der.length - 1, 0x02, r + 1, 0, ...der.slice(4)),
    bytes(0x30, 6, 0x02, 1, 0x80, 0x02, 1, 1),
    bytes(0x30, 4, 0x02, 0, 0x02, 0),
    encodeBase64url(Uint8Array.from(der)).replace(/=/g, ''),
  ].filter((text) => text !== bytes(...der)))
    expect([wrong, rawSignature(wrong)]).toEqual([wrong, null])
})
