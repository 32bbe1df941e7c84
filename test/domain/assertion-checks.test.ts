import { expect, test } from 'vitest'
import { type ClaimPolicy, checkClaims, issuerOf, replayKeyInput } from '../../lib/domain/assertion-checks.ts'
import type { JsonObject } from '../../lib/domain/claims.ts'
import { AUDIENCE, claims, ISSUER, NOW } from '../support/jws.ts'

const POLICY: ClaimPolicy = {
  issuer: ISSUER,
  audience: AUDIENCE,
  nowSeconds: NOW,
  maxAgeSeconds: 600,
  lifetimeSecondsMax: null,
  iatOptional: false,
}

const judge = (changes: Record<string, unknown>, policy: Partial<ClaimPolicy> = {}) =>
  checkClaims(JSON.parse(JSON.stringify(claims(changes))) as JsonObject, { ...POLICY, ...policy })
const verdict = (changes: Record<string, unknown>, policy: Partial<ClaimPolicy> = {}): string => {
  const checked = judge(changes, policy)
  return checked.ok ? 'accepted' : checked.refusal.kind
}

const JKT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
const OTHER_JKT = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'

test('claims that pass come out typed', () => {
  expect(judge({})).toEqual({
    ok: true,
    value: {
      sub: 'repo:acme/api:environment:production',
      jti: 'a7c2a1de-0001',
      iat: NOW - 10,
      exp: NOW + 290,
      nbf: NOW - 310,
      keyThumbprint: null,
    },
  })
  expect(judge({ jti: undefined, nbf: undefined })).toMatchObject({ value: { jti: null, nbf: null } })
})

test.each([
  ['iss of another issuer', { iss: 'https://evil.example' }, 'issuer_unknown'],
  ['no iss', { iss: undefined }, 'issuer_missing'],
  ['no sub', { sub: undefined }, 'subject_invalid'],
  ['an empty sub', { sub: '' }, 'subject_invalid'],
  ['sub as an object', { sub: { a: 1 } }, 'subject_invalid'],
  ['an empty jti', { jti: '' }, 'jti_invalid'],
  ['jti as null', { jti: null }, 'jti_invalid'],
  ['jti as a number', { jti: 7 }, 'jti_invalid'],
  ['a jti of 256 bytes', { jti: 'j'.repeat(256) }, 'accepted'],
  ['a jti of 258 bytes in 129 characters', { jti: 'é'.repeat(129) }, 'jti_invalid'],
])('who: %s', (_, changes, expected) => {
  expect(verdict(changes)).toBe(expected)
})

test.each([
  ['an array of one', { aud: [AUDIENCE] }, 'accepted'],
  ['no aud', { aud: undefined }, 'audience_invalid'],
  ['aud of an array of two', { aud: [AUDIENCE, 'evil'] }, 'audience_invalid'],
  ['aud twice the same', { aud: [AUDIENCE, AUDIENCE] }, 'audience_invalid'],
  ['an empty array', { aud: [] }, 'audience_invalid'],
  ['a nested array', { aud: [[AUDIENCE]] }, 'audience_invalid'],
  ['an empty string', { aud: '' }, 'audience_invalid'],
  ['another tenant', { aud: 'https://broker.example/t/globex' }, 'audience_mismatch'],
  ['a trailing slash', { aud: `${AUDIENCE}/` }, 'audience_mismatch'],
  ['another case', { aud: AUDIENCE.toUpperCase() }, 'audience_mismatch'],
  ['a fragment that is no commitment', { aud: `${AUDIENCE}#x` }, 'audience_mismatch'],
  ['a commitment that is no thumbprint', { aud: `${AUDIENCE}#jkt=short` }, 'audience_mismatch'],
  ['a commitment with something after it', { aud: `${AUDIENCE}#jkt=${JKT}x` }, 'audience_mismatch'],
  ['a commitment that is not canonical', { aud: `${AUDIENCE}#jkt=${JKT.slice(0, -1)}J` }, 'audience_mismatch'],
])('for whom: %s', (_, changes, expected) => {
  expect(verdict(changes)).toBe(expected)
})

test('evidence may commit to a key in aud, in cnf, or in both alike', () => {
  expect(judge({ aud: `${AUDIENCE}#jkt=${JKT}` })).toMatchObject({ value: { keyThumbprint: JKT } })
  expect(judge({ cnf: { jkt: JKT } })).toMatchObject({ value: { keyThumbprint: JKT } })
  expect(judge({ aud: [`${AUDIENCE}#jkt=${JKT}`], cnf: { jkt: JKT } })).toMatchObject({ value: { keyThumbprint: JKT } })
})

test.each([
  ['two different keys', { aud: `${AUDIENCE}#jkt=${JKT}`, cnf: { jkt: OTHER_JKT } }],
  ['jkt that is no thumbprint', { cnf: { jkt: 'x' } }],
  ['jkt as an array', { cnf: { jkt: [JKT] } }],
  ['cnf as a string', { cnf: JKT }],
  ['cnf as null', { cnf: null }],
  ['a confirmation we cannot check', { cnf: { 'x5t#S256': JKT } }],
])('a commitment that cannot be kept refuses: %s', (_, changes) => {
  expect(verdict(changes)).toBe('claim_invalid')
})

test.each([
  ['exp 30 s ago', { iat: NOW - 300, exp: NOW - 30 }, 'expired'],
  ['exp 29 s ago', { iat: NOW - 300, exp: NOW - 29 }, 'accepted'],
  ['iat in 30 s', { iat: NOW + 30 }, 'accepted'],
  ['iat in 31 s', { iat: NOW + 31 }, 'not_yet_valid'],
  ['nbf in 30 s', { nbf: NOW + 30 }, 'accepted'],
  ['nbf in 31 s', { nbf: NOW + 31 }, 'not_yet_valid'],
  ['nbf of long ago', { nbf: 0 }, 'accepted'],
  ['exp one second after iat', { iat: NOW, exp: NOW + 1 }, 'accepted'],
  ['exp equal to iat', { iat: NOW, exp: NOW }, 'times_inverted'],
  ['iat 600 s ago', { iat: NOW - 600 }, 'accepted'],
  ['iat 601 s ago', { iat: NOW - 601 }, 'too_old'],
  ['exp in the last second of 9999', { exp: 253_402_300_799 }, 'accepted'],
  ['exp after 9999', { exp: 253_402_300_800 }, 'time_invalid'],
  ['exp in milliseconds', { exp: (NOW + 290) * 1000 }, 'time_invalid'],
  ['exp of 2^53 + 1', { exp: 2 ** 53 + 2 }, 'time_invalid'],
  ['exp as 1e300', { exp: 1e300 }, 'time_invalid'],
  ['exp of half a second', { exp: NOW + 290.5 }, 'time_invalid'],
  ['exp as a string', { exp: String(NOW + 290) }, 'time_invalid'],
  ['exp as null', { exp: null }, 'time_invalid'],
  ['exp as an array', { exp: [NOW + 290] }, 'time_invalid'],
  ['a negative exp', { exp: -1 }, 'time_invalid'],
  ['no exp', { exp: undefined }, 'time_invalid'],
  ['no iat', { iat: undefined }, 'time_invalid'],
  ['iat as a string', { iat: String(NOW) }, 'time_invalid'],
  ['nbf as a string', { nbf: String(NOW) }, 'time_invalid'],
  ['nbf as null', { nbf: null }, 'time_invalid'],
])('when: %s', (_, changes, expected) => {
  expect(verdict(changes)).toBe(expected)
})

test('nbf never stands in for the issue time', () => {
  expect(verdict({ iat: NOW - 601, nbf: NOW - 1 })).toBe('too_old')
  expect(verdict({ iat: NOW - 10, nbf: NOW - 6_000 })).toBe('accepted')
})

test('an issuer may sign for no longer than its cap', () => {
  expect(verdict({ iat: NOW, exp: NOW + 900 }, { lifetimeSecondsMax: 900 })).toBe('accepted')
  expect(verdict({ iat: NOW, exp: NOW + 901 }, { lifetimeSecondsMax: 900 })).toBe('lifetime_too_long')
})

test('what was issued before the floor of a recovery is refused', () => {
  expect(verdict({ iat: NOW - 10 }, { issuedFloorSeconds: NOW - 10 })).toBe('accepted')
  expect(verdict({ iat: NOW - 11 }, { issuedFloorSeconds: NOW - 10 })).toBe('issued_before_floor')
})

test('without iat (JWT-SVID) exp minus the maximum age stands in, so that more than the maximum age is never left', () => {
  const svid = (exp: number, changes: Record<string, unknown> = {}) =>
    verdict({ iat: undefined, nbf: undefined, exp, ...changes }, { iatOptional: true })
  expect(judge({ iat: undefined, exp: NOW + 300 }, { iatOptional: true })).toMatchObject({ value: { iat: NOW - 300 } })
  expect(svid(NOW - 29)).toBe('accepted')
  expect(svid(NOW - 30)).toBe('expired')
  expect(svid(NOW + 630)).toBe('accepted')
  expect(svid(NOW + 631)).toBe('lifetime_too_long')
  expect(svid(NOW + 300, { iat: NOW - 601 })).toBe('too_old')
  expect(svid(NOW + 300, { iat: null })).toBe('time_invalid')
})

test('the two forms of a replay key can never be equal, and no two issuers share one', () => {
  expect(replayKeyInput('https://a', 'j', 'h.p')).toBe('https://a\0j')
  // A jti that repeats another token's signing input must not take that token's place.
  expect(replayKeyInput('https://a', 'h.p', 'x.y')).not.toBe(replayKeyInput('https://a', null, 'h.p'))
  expect(replayKeyInput('https://a', 'j', 'h.p')).not.toBe(replayKeyInput('https://b', 'j', 'h.p'))
  expect(replayKeyInput('https://a', 'b', '')).not.toBe(replayKeyInput('https://', 'ab', ''))
})

test('evidence is looked up by iss; a JWT-SVID without one by the trust domain of its sub, and nothing else is', () => {
  const of = (claims: Record<string, unknown>) => issuerOf(claims as JsonObject)
  expect(of({ iss: ISSUER, sub: 'spiffe://prod.acme.example/x' })).toBe(ISSUER)
  expect(of({ sub: 'spiffe://prod.acme.example/ns/x' })).toBe('spiffe://prod.acme.example')
  for (const sub of [
    'spiffe://prod.acme.example',
    'spiffe://PROD.acme.example/x',
    'spiffe://a@b/x',
    'https://a/b',
    '',
    7,
  ])
    expect(of({ sub }), String(sub)).toBeNull()
  for (const iss of ['', null, 7, ['spiffe://prod.acme.example']])
    expect(of({ iss, sub: 'spiffe://prod.acme.example/x' }), String(iss)).toBeNull()
})
