// Properties of the strict front as a whole, over tokens with real signatures.
import fc from 'fast-check'
import { importJWK, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { parseCompactJws } from '../../lib/domain/compact-jws.ts'
import { AUDIENCE, claims, EC, headerOf, ISSUER, judgeToken, NOW, RSA, signParts, verdictOf } from '../support/jws.ts'

const keys = fc.constantFrom(RSA, EC)

test('any single bit flipped in header or payload refuses the token', () => {
  const tokens = [signParts(RSA, headerOf(RSA), claims()), signParts(EC, headerOf(EC), claims())]
  fc.assert(
    fc.property(fc.constantFrom(...tokens), fc.nat(), fc.integer({ min: 0, max: 7 }), (token, place, bit) => {
      const at = place % token.lastIndexOf('.')
      const flipped = token.slice(0, at) + String.fromCharCode(token.charCodeAt(at) ^ (1 << bit)) + token.slice(at + 1)
      expect(verdictOf(flipped)).not.toBe('accepted')
    }),
    { numRuns: 500 },
  )
})

test('every bit of the signed bytes counts: one flipped before it is encoded refuses the token too', () => {
  const token = signParts(RSA, headerOf(RSA), claims())
  const [header, payload, signature] = token.split('.') as [string, string, string]
  fc.assert(
    fc.property(fc.boolean(), fc.nat(), fc.integer({ min: 0, max: 7 }), (isHeader, place, bit) => {
      const bytes = Buffer.from(isHeader ? header : payload, 'base64url')
      bytes[place % bytes.length]! ^= 1 << bit
      const changed = bytes.toString('base64url')
      expect(verdictOf(isHeader ? `${changed}.${payload}.${signature}` : `${header}.${changed}.${signature}`)).not.toBe(
        'accepted',
      )
    }),
    { numRuns: 500 },
  )
})

const reorder = (object: Record<string, unknown>, order: readonly number[]): string => {
  const members = Object.entries(object).map(([name, value], i) => ({
    name,
    value,
    at: order[i % order.length]! + i / 1000,
  }))
  return JSON.stringify(Object.fromEntries(members.sort((a, b) => a.at - b.at).map(({ name, value }) => [name, value])))
}

const mostly = (good: fc.Arbitrary<unknown>, ...bad: readonly unknown[]) =>
  fc.oneof({ arbitrary: good, weight: 12 }, { arbitrary: fc.constantFrom(...bad), weight: 1 })

/** Claims of which about half pass: each member now and then wrong, or left out. */
const someClaims = fc
  .record(
    {
      iss: mostly(fc.constant(ISSUER), `${ISSUER}/`, 'https://evil.example', ''),
      sub: mostly(fc.string({ minLength: 1, maxLength: 20 }), '', 7, null),
      aud: mostly(fc.constantFrom(AUDIENCE, [AUDIENCE]), [AUDIENCE, 'evil'], [], 'evil', `${AUDIENCE}/`),
      jti: mostly(fc.uuid(), '', 7, null),
      iat: mostly(fc.integer({ min: NOW - 620, max: NOW + 40 }), '0', null, NOW + 0.5),
      nbf: mostly(fc.integer({ min: NOW - 700, max: NOW + 40 }), '0', null),
      exp: mostly(fc.integer({ min: NOW - 40, max: NOW + 700 }), '0', null, 1e300),
      extra: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: [] },
  )
  .map(claims)

test('the order of members never changes the answer', () => {
  fc.assert(
    fc.property(keys, someClaims, fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), (key, said, order) => {
      const plain = judgeToken(signParts(key, headerOf(key), said))
      const shuffled = judgeToken(signParts(key, reorder(headerOf(key), order), reorder(said, order)))
      expect(shuffled.ok ? shuffled.value.claims : shuffled.refusal.kind).toEqual(
        plain.ok ? plain.value.claims : plain.refusal.kind,
      )
    }),
  )
})

test('what we accept jose accepts, with the same claims', async () => {
  const josed = new Map([
    [RSA.kid, await importJWK(RSA.jwk)],
    [EC.kid, await importJWK(EC.jwk)],
  ])
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(keys, someClaims, async (key, said) => {
      const token = signParts(key, headerOf(key), said)
      const ours = judgeToken(token)
      if (!ours.ok) return
      accepted += 1
      const theirs = await jwtVerify(token, josed.get(key.kid)!, {
        algorithms: ['RS256', 'ES256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: 'JWT',
        currentDate: new Date(NOW * 1000),
        clockTolerance: 30,
        maxTokenAge: 600,
        requiredClaims: ['sub', 'exp', 'iat'],
      })
      expect(ours.value.jws.claims).toEqual(theirs.payload)
    }),
    { numRuns: 400 },
  )
  expect(accepted).toBeGreaterThan(100)
})

test('no text makes the front throw', () => {
  const part = fc.oneof(
    fc.base64String(),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const parsed = parseCompactJws(parts.join('.'))
      expect(typeof parsed.ok).toBe('boolean')
    }),
    { numRuns: 1_000 },
  )
})
