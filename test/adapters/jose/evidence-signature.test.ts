import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { createProofVerifier, importVerifyKey, verifySignature } from '../../../lib/adapters/jose/evidence-signature.ts'
import type { SignatureAlgorithm } from '../../../lib/domain/provider.ts'
import { CURVES } from '../../../lib/domain/weierstrass.ts'

const INPUT = 'eyJhbGciOiJSUzI1NiJ9.e30'
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const EC = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
}
const keyOf = (publicKey: KeyObject) => importVerifyKey(publicKey.export({ format: 'jwk' }) as Record<string, unknown>)

const pairOf = (alg: SignatureAlgorithm) => (alg === 'ES256' || alg === 'ES384' || alg === 'ES512' ? EC[alg] : RSA)
const signed = (alg: SignatureAlgorithm, input = INPUT): Buffer => {
  const hash = `sha${alg.slice(2)}`
  const key = pairOf(alg).privateKey
  if (alg.startsWith('ES')) return sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  if (alg.startsWith('PS'))
    return sign(hash, Buffer.from(input), {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    })
  return sign(hash, Buffer.from(input), key)
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const

test.each(ALGORITHMS)(
  '%s: the signature verifies, and not over another input, under another key or algorithm',
  (alg) => {
    const key = keyOf(pairOf(alg).publicKey)
    // ECDSA is random: many signatures, so that short r and s, and those with a high first bit, are among them.
    for (let i = 0; i < (alg.startsWith('ES') ? 40 : 1); i += 1)
      expect(verifySignature(alg, key, INPUT, signed(alg))).toBe(true)
    const signature = signed(alg)
    expect(verifySignature(alg, key, `${INPUT}x`, signature)).toBe(false)
    for (const other of ALGORITHMS) if (other !== alg) expect(verifySignature(other, key, INPUT, signature)).toBe(false)
    const stranger = alg.startsWith('ES')
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(verifySignature(alg, keyOf(stranger.publicKey), INPUT, signature)).toBe(false)
  },
)

test.each(ALGORITHMS)('%s: no signature of another length verifies or throws', (alg) => {
  const key = keyOf(pairOf(alg).publicKey)
  const signature = signed(alg)
  const others = [
    new Uint8Array(),
    signature.subarray(1),
    signature.subarray(0, -1),
    Buffer.concat([signature, Buffer.alloc(1)]),
    Buffer.concat([Buffer.alloc(1), signature]),
    Buffer.alloc(12_000, 1),
  ]
  for (const other of others) expect(verifySignature(alg, key, INPUT, other)).toBe(false)
})

test('PS256: a signature that begins with zero does not verify without it', () => {
  const key = keyOf(pairOf('PS256').publicKey)
  let signature = signed('PS256')
  while (signature[0] !== 0) signature = signed('PS256') // one in 256: PSS signatures are random
  expect(verifySignature('PS256', key, INPUT, signature)).toBe(true)
  expect(verifySignature('PS256', key, INPUT, signature.subarray(1))).toBe(false)
})

const numberBytes = (value: bigint, size: number): Buffer =>
  Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex')

test.each([
  ['ES256', 'P-256'],
  ['ES384', 'P-384'],
  ['ES512', 'P-521'],
] as const)('%s: r and s of 0, 1, n-1, n and n+1 are no signature (row 12)', (alg, curve) => {
  const { n, bytes } = CURVES[curve]
  const key = keyOf(EC[alg].publicKey)
  const good = signed(alg)
  const edges = [0n, 1n, n - 1n, n, n + 1n].map((value) => numberBytes(value, bytes))
  const halves = [...edges, good.subarray(0, bytes), good.subarray(bytes)]
  for (const r of halves)
    for (const s of edges) expect(verifySignature(alg, key, INPUT, Buffer.concat([r, s]))).toBe(false)
  for (const r of edges) expect(verifySignature(alg, key, INPUT, Buffer.concat([r, good.subarray(bytes)]))).toBe(false)
})

test('r + n stands for the same number and is refused all the same', () => {
  const { n, bytes } = CURVES['P-521']
  const good = signed('ES512')
  const r = BigInt(`0x${good.subarray(0, bytes).toString('hex')}`) + n
  expect(
    verifySignature(
      'ES512',
      keyOf(EC.ES512.publicKey),
      INPUT,
      Buffer.concat([numberBytes(r, bytes), good.subarray(bytes)]),
    ),
  ).toBe(false)
})

test('a DER signature is not a JWS signature (row 14)', () => {
  const der = sign('sha256', Buffer.from(INPUT), EC.ES256.privateKey)
  expect(verifySignature('ES256', keyOf(EC.ES256.publicKey), INPUT, der)).toBe(false)
})

test.each([0, 20, 31, 33, 64])(
  'PS256 with a salt of %i bytes is refused: RFC 7518 §3.5 fixes it (row 16)',
  (saltLength) => {
    const signature = sign('sha256', Buffer.from(INPUT), {
      key: RSA.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength,
    })
    expect(verifySignature('PS256', keyOf(RSA.publicKey), INPUT, signature)).toBe(false)
  },
)

test('a key from elsewhere verifies nothing, and one the policy refuses is not imported', () => {
  expect(verifySignature('RS256', RSA.publicKey, INPUT, signed('RS256'))).toBe(false)
  expect(verifySignature('RS256', {}, INPUT, signed('RS256'))).toBe(false)
  expect(() => importVerifyKey({ kty: 'oct', k: 'AAAA' })).toThrow(TypeError)
  expect(() => keyOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)).toThrow('modulus_size')
})

test('a proof is named by the thumbprint of the key that signed it; any other proof has no name', () => {
  const proofs = createProofVerifier({ sha256: (data) => createHash('sha256').update(data).digest('base64url') })
  const jwk = EC.ES256.publicKey.export({ format: 'jwk' }) as Record<string, unknown>
  const thumbprint = proofs.thumbprint('ES256', jwk, INPUT, signed('ES256'))
  expect(thumbprint).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(proofs.thumbprint('ES256', { ...jwk, kid: 'x' }, INPUT, signed('ES256'))).toBe(thumbprint)
  expect(proofs.thumbprint('ES256', jwk, `${INPUT}x`, signed('ES256'))).toBeNull()
  expect(proofs.thumbprint('ES384', jwk, INPUT, signed('ES256'))).toBeNull()
  for (const hostile of [{}, { kty: 'EC' }, { ...jwk, x: jwk['y'], y: jwk['x'] }, { kty: 'oct', k: 'AA' }]) {
    expect(proofs.thumbprint('ES256', hostile, INPUT, signed('ES256'))).toBeNull()
  }
})
