import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../lib/domain/claims.ts'
import { type KeyPolicy, keyFor, readPublicJwk, usableKeys } from '../../lib/domain/jwk-policy.ts'
import { encodePart } from '../support/jws.ts'
import { modulusOf, rocaModulus } from '../support/rsa-moduli.ts'

const POLICY: KeyPolicy = { algorithms: ['RS256', 'ES256', 'ES384', 'ES512'] }

const jwkOf = (type: 'rsa' | 'P-256' | 'P-384' | 'P-521' | 'secp256k1'): JsonObject => {
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: type })
  return pair.publicKey.export({ format: 'jwk' }) as JsonObject
}
const RSA = jwkOf('rsa')
const EC = jwkOf('P-256')

const read = (keys: readonly unknown[], policy: KeyPolicy = POLICY) => usableKeys({ keys: keys as JsonValue[] }, policy)
/** 'usable', or why the one key was dropped. */
const reasonOf = (key: unknown, policy: KeyPolicy = POLICY): string => {
  const { keys, dropped } = read([key], policy)
  expect(keys.length + dropped.length).toBe(1)
  return dropped[0]?.reason ?? 'usable'
}

test('a usable key keeps its public members and nothing else', () => {
  const { keys, dropped } = read([
    { ...RSA, kid: 'a', use: 'sig', alg: 'RS256', x5c: ['…'] },
    { ...EC, kid: 'b', key_ops: ['verify'] },
  ])
  expect(dropped).toEqual([])
  expect(keys).toEqual([
    { kid: 'a', kty: 'RSA', alg: 'RS256', jwk: { kty: 'RSA', n: RSA['n'], e: 'AQAB' } },
    { kid: 'b', kty: 'EC', alg: null, jwk: { kty: 'EC', crv: 'P-256', x: EC['x'], y: EC['y'] } },
  ])
})

test.each(['P-256', 'P-384', 'P-521'] as const)(
  'a real key on %s is usable: the curve constants are right',
  (curve) => {
    for (let i = 0; i < 5; i += 1) expect(reasonOf({ ...jwkOf(curve), kid: 'k' })).toBe('usable')
  },
)

test.each([
  ['no kid', { ...RSA }, 'kid_missing'],
  ['an empty kid', { ...RSA, kid: '' }, 'kid_missing'],
  ['kid as a number', { ...RSA, kid: 1 }, 'kid_missing'],
  ['a kid of 257 bytes', { ...RSA, kid: 'k'.repeat(257) }, 'kid_missing'],
  ['a symmetric key (row 10)', { kty: 'oct', k: 'AAAA', kid: 'k', alg: 'HS256' }, 'symmetric'],
  ['a published private exponent', { ...RSA, kid: 'k', d: 'AQAB' }, 'private_key_published'],
  ['a published prime', { ...RSA, kid: 'k', p: 'AQAB' }, 'private_key_published'],
  ['a published EC private key', { ...EC, kid: 'k', d: 'AAAA' }, 'private_key_published'],
  ['use enc (row 11)', { ...RSA, kid: 'k', use: 'enc' }, 'use'],
  ['use as null', { ...RSA, kid: 'k', use: null }, 'use'],
  ['use of a SPIFFE bundle, from another issuer', { ...RSA, kid: 'k', use: 'jwt-svid' }, 'use'],
  ['key_ops without verify (row 11)', { ...RSA, kid: 'k', key_ops: ['encrypt'] }, 'key_ops'],
  ['key_ops as a string', { ...RSA, kid: 'k', key_ops: 'verify' }, 'key_ops'],
  ['an alg nobody registered', { ...RSA, kid: 'k', alg: 'RS512' }, 'alg'],
  ['a symmetric alg on an RSA key (row 2)', { ...RSA, kid: 'k', alg: 'HS256' }, 'alg'],
  ['an alg of another key type (row 3)', { ...RSA, kid: 'k', alg: 'ES256' }, 'alg'],
  ['alg as an array', { ...RSA, kid: 'k', alg: ['RS256'] }, 'alg'],
  ['an unknown key type', { kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'k' }, 'kty_unsupported'],
  ['kty named like an inherited member', { ...RSA, kty: 'constructor', kid: 'k' }, 'kty_unsupported'],
  ['no modulus', { kty: 'RSA', e: 'AQAB', kid: 'k' }, 'encoding'],
  ['a modulus in base64', { ...RSA, n: `${RSA['n']}==`, kid: 'k' }, 'encoding'],
  ['a modulus of zero', { ...RSA, n: 'AA', kid: 'k' }, 'encoding'],
  ['RSA of 1024 bits (row 17)', { ...RSA, n: modulusOf(1024), kid: 'k' }, 'modulus_size'],
  ['RSA of 2047 bits', { ...RSA, n: modulusOf(2047), kid: 'k' }, 'modulus_size'],
  ['RSA of 2048 bits', { ...RSA, n: modulusOf(2048), kid: 'k' }, 'usable'],
  ['RSA of 8192 bits', { ...RSA, n: modulusOf(8192), kid: 'k' }, 'usable'],
  ['RSA of 8193 bits', { ...RSA, n: modulusOf(8193), kid: 'k' }, 'modulus_size'],
  ['an even modulus', { ...RSA, n: encodePart(Buffer.alloc(256, 0xfe)), kid: 'k' }, 'modulus_even'],
  ['e of 1 (row 17)', { ...RSA, e: 'AQ', kid: 'k' }, 'exponent'],
  ['e of 0', { ...RSA, e: 'AA', kid: 'k' }, 'exponent'],
  ['e of 2', { ...RSA, e: 'Ag', kid: 'k' }, 'exponent'],
  ['e of 3', { ...RSA, e: 'Aw', kid: 'k' }, 'usable'],
  ['an even e', { ...RSA, e: 'AQAA', kid: 'k' }, 'exponent'],
  ['e with a leading zero', { ...RSA, e: 'AAEAAQ', kid: 'k' }, 'exponent'],
  ['a huge e', { ...RSA, e: encodePart(Buffer.alloc(256, 0xff)), kid: 'k' }, 'exponent'],
  ['a ROCA modulus of 2048 bits (row 17)', { ...RSA, n: rocaModulus(2048), kid: 'k' }, 'roca'],
  ['a ROCA modulus of 4096 bits', { ...RSA, n: rocaModulus(4096), kid: 'k' }, 'roca'],
  ['a curve of Bitcoin', { ...jwkOf('secp256k1'), kid: 'k' }, 'crv_unsupported'],
  ['a curve named like an inherited member', { ...EC, crv: 'toString', kid: 'k' }, 'crv_unsupported'],
  ['another curve than the point is on (row 18)', { ...jwkOf('P-384'), crv: 'P-256', kid: 'k' }, 'encoding'],
  ['a coordinate without its leading zero', { ...EC, x: encodePart(Buffer.alloc(31, 1)), kid: 'k' }, 'encoding'],
  ['a point off the curve (row 18)', { ...EC, x: EC['y'], y: EC['x'], kid: 'k' }, 'not_on_curve'],
  ['the point at the origin', { ...EC, x: 'A'.repeat(43), y: 'A'.repeat(43), kid: 'k' }, 'not_on_curve'],
  ['a coordinate as large as the field', { ...EC, x: encodePart(Buffer.alloc(32, 0xff)), kid: 'k' }, 'not_on_curve'],
  ['a string for a key', 'key', 'not_an_object'],
  ['null for a key', null, 'not_an_object'],
])('a key with %s', (_, key, expected) => {
  expect(reasonOf(key)).toBe(expected)
})

test('one leading zero byte of a modulus is dropped, as Jenkins writes it; two are not', () => {
  const n = Buffer.from(RSA['n'] as string, 'base64url')
  const { keys } = read([{ ...RSA, n: encodePart(Buffer.concat([Buffer.alloc(1), n])), kid: 'k' }])
  expect(keys[0]?.jwk).toEqual({ kty: 'RSA', n: RSA['n'], e: 'AQAB' })
  expect(reasonOf({ ...RSA, n: encodePart(Buffer.concat([Buffer.alloc(2), n])), kid: 'k' })).toBe('encoding')
})

test('an honest modulus is not taken for a ROCA one', () => {
  for (let i = 0; i < 3; i += 1) expect(reasonOf({ ...jwkOf('rsa'), kid: 'k' })).toBe('usable')
})

test('a kid that names two keys names none, whatever the other is for; the rest of the set stands (row 9)', () => {
  const { keys, dropped } = read([
    { ...RSA, kid: 'twice' },
    { ...EC, kid: 'once' },
    { ...EC, kid: 'twice', use: 'enc' },
  ])
  expect(keys.map(({ kid }) => kid)).toEqual(['once'])
  expect(dropped).toEqual([
    { kid: 'twice', reason: 'kid_duplicate' },
    { kid: 'twice', reason: 'kid_duplicate' },
  ])
})

test('a SPIFFE bundle may say use jwt-svid, and its X.509 authorities are not keys for tokens', () => {
  const bundle = { algorithms: ['ES256'], uses: ['jwt-svid'] } as const
  expect(reasonOf({ ...EC, kid: 'k', use: 'jwt-svid' }, bundle)).toBe('usable')
  expect(reasonOf({ ...EC, kid: 'k', use: 'x509-svid' }, bundle)).toBe('use')
})

test('a key that fits no registered algorithm is dropped', () => {
  expect(reasonOf({ ...EC, kid: 'k' }, { algorithms: ['RS256'] })).toBe('alg')
  expect(reasonOf({ ...EC, kid: 'k' }, { algorithms: ['ES384'] })).toBe('alg')
})

test.each([
  ['an array', [], 'set_malformed'],
  ['no keys', {}, 'set_malformed'],
  ['keys as an object', { keys: {} }, 'set_malformed'],
  ['null', null, 'set_malformed'],
  ['65 keys', { keys: Array.from({ length: 65 }, (_, i) => ({ ...EC, kid: String(i) })) }, 'set_too_large'],
])('a set that is %s has no usable key', (_, set, reason) => {
  expect(usableKeys(set as JsonValue, POLICY)).toEqual({ keys: [], dropped: [{ kid: null, reason }] })
})

test('a set of exactly 64 keys is read whole: the limit refuses the 65th, not the 64th', () => {
  expect(read(Array.from({ length: 64 }, (_, i) => ({ ...EC, kid: String(i) }))).keys).toHaveLength(64)
})

test('the key of a token is the one its kid names, if its type and its own alg fit', () => {
  const { keys } = read([
    { ...RSA, kid: 'rsa' },
    { ...RSA, kid: 'rsa-256', alg: 'RS256' },
    { ...EC, kid: 'ec' },
    { ...jwkOf('P-384'), kid: 'ec-384' },
  ])
  const verdict = (kid: string, alg: Parameters<typeof keyFor>[2]) => {
    const found = keyFor(keys, kid, alg)
    return found.ok ? found.value.kid : found.refusal.kind
  }
  expect(verdict('rsa', 'RS256')).toBe('rsa')
  expect(verdict('rsa', 'PS256')).toBe('rsa')
  expect(verdict('rsa', 'ES256')).toBe('key_unusable')
  expect(verdict('rsa-256', 'PS256')).toBe('key_unusable')
  expect(verdict('ec', 'ES256')).toBe('ec')
  expect(verdict('ec', 'RS256')).toBe('key_unusable')
  expect(verdict('ec-384', 'ES256')).toBe('key_unusable')
  for (const kid of ['', 'RSA', 'rs', '__proto__', '../rsa']) expect(verdict(kid, 'RS256')).toBe('key_unknown')
})

test('a bare key is read by the same rules', () => {
  expect(readPublicJwk({ ...EC, kid: 'ignored' })).toEqual({ kty: 'EC', crv: 'P-256', x: EC['x'], y: EC['y'] })
  expect(readPublicJwk({})).toBe('kty_unsupported')
})
