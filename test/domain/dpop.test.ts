import { createHash, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseCompactJws } from '../../lib/domain/compact-jws.ts'
import { checkDpopProof, thumbprintInput } from '../../lib/domain/dpop.ts'
import { type PublicJwk, readPublicJwk } from '../../lib/domain/jwk-policy.ts'
import { encodePart, NOW } from '../support/jws.ts'

const URL = 'https://broker.example/t/acme/token'
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const EC_JWK = EC.publicKey.export({ format: 'jwk' })
const RSA_JWK = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })

const judge = (
  header: Record<string, unknown> = {},
  claims: Record<string, unknown> = {},
  request: Partial<Parameters<typeof checkDpopProof>[1]> = {},
) => {
  const said = [
    { typ: 'dpop+jwt', alg: 'ES256', jwk: EC_JWK, ...header },
    { jti: 'proof-1', htm: 'POST', htu: URL, iat: NOW, ...claims },
  ]
  const parsed = parseCompactJws(`${said.map(encodePart).join('.')}.AAAA`)
  return parsed.ok ? checkDpopProof(parsed.value, { method: 'POST', url: URL, nowSeconds: NOW, ...request }) : parsed
}
const problem = (...args: Parameters<typeof judge>): unknown => {
  const checked = judge(...args)
  return checked.ok ? 'accepted' : (checked.refusal.detail?.['problem'] ?? checked.refusal.kind)
}

test('a proof comes out as key, algorithm, jti, time and the token it is of', () => {
  expect(judge()).toEqual({
    ok: true,
    value: {
      alg: 'ES256',
      jwk: { kty: 'EC', crv: 'P-256', x: EC_JWK.x, y: EC_JWK.y },
      jti: 'proof-1',
      iat: NOW,
      ath: null,
    },
  })
  expect(judge({}, { ath: 'a hash' })).toMatchObject({ value: { ath: 'a hash' } })
  expect(judge({}, { ath: 7 })).toMatchObject({ value: { ath: null } })
  expect(judge({ alg: 'PS256', jwk: RSA_JWK })).toMatchObject({
    ok: true,
    value: { alg: 'PS256', jwk: { kty: 'RSA' } },
  })
})

test.each([
  ['typ absent', { typ: undefined }, 'header_member_forbidden'],
  ['typ of evidence', { typ: 'JWT' }, 'header_member_forbidden'],
  ['typ in another case', { typ: 'DPoP+jwt' }, 'header_member_forbidden'],
  ['no jwk', { jwk: undefined }, 'jwk'],
  ['another header member', { x5t: 'a' }, 'header'],
  ['jku', { jku: 'https://evil.example' }, 'header_member_forbidden'],
  ['alg none', { alg: 'none' }, 'alg'],
  ['a symmetric alg', { alg: 'HS256' }, 'alg'],
  ['an alg not offered', { alg: 'RS512' }, 'alg'],
  ['an alg that does not fit the key', { alg: 'RS256' }, 'jwk'],
  ['a key on another curve than alg says', { alg: 'ES384' }, 'jwk'],
  ['a symmetric key', { jwk: { kty: 'oct', k: 'AAAA' } }, 'jwk'],
  ['a private key (check 7)', { jwk: EC.privateKey.export({ format: 'jwk' }) }, 'jwk'],
  ['a point off its curve', { jwk: { ...EC_JWK, x: EC_JWK.y, y: EC_JWK.x } }, 'jwk'],
  ['a key as a string', { jwk: 'x' }, 'header_member_invalid'],
])('the header is judged: %s', (_, header, expected) => {
  expect(problem(header)).toBe(expected)
})

test.each([
  ['no jti', { jti: undefined }, 'jti'],
  ['an empty jti', { jti: '' }, 'jti'],
  ['a jti of 257 bytes', { jti: 'j'.repeat(257) }, 'jti'],
  ['another method', { htm: 'GET' }, 'htm'],
  ['the method in lower case', { htm: 'post' }, 'htm'],
  ['no htu', { htu: undefined }, 'htu'],
  ['htu as an array', { htu: [URL] }, 'htu'],
  ['another tenant', { htu: 'https://broker.example/t/globex/token' }, 'htu'],
  ['another host', { htu: 'https://evil.example/t/acme/token' }, 'htu'],
  ['another scheme', { htu: 'http://broker.example/t/acme/token' }, 'htu'],
  ['another port', { htu: 'https://broker.example:8443/t/acme/token' }, 'htu'],
  ['userinfo', { htu: 'https://broker.example@evil.example/t/acme/token' }, 'htu'],
  ['userinfo before the right host', { htu: 'https://x@broker.example/t/acme/token' }, 'htu'],
  ['another case of the path', { htu: 'https://broker.example/T/acme/token' }, 'htu'],
  ['a trailing slash', { htu: `${URL}/` }, 'htu'],
  ['an encoded slash', { htu: 'https://broker.example/t/acme%2Ftoken' }, 'htu'],
  ['backslashes', { htu: 'https:\\\\broker.example\\t\\acme\\token' }, 'htu'],
  ['a tab, which the URL parser drops', { htu: 'https://broker.example/t/ac\tme/token' }, 'htu'],
  ['a relative URL', { htu: '/t/acme/token' }, 'htu'],
  ['a query and a fragment, which do not count', { htu: `${URL}?a=b#c` }, 'accepted'],
  ['the default port', { htu: 'https://broker.example:443/t/acme/token' }, 'accepted'],
  ['another case of scheme and host', { htu: 'HTTPS://Broker.Example/t/acme/token' }, 'accepted'],
  ['an escape that need not be one', { htu: 'https://broker.example/t/%61cme/token' }, 'accepted'],
  ['dot segments', { htu: 'https://broker.example/t/x/../acme/token' }, 'accepted'],
  ['iat 60 s ago', { iat: NOW - 60 }, 'accepted'],
  ['iat 61 s ago', { iat: NOW - 61 }, 'iat'],
  ['iat in 60 s', { iat: NOW + 60 }, 'accepted'],
  ['iat in 61 s', { iat: NOW + 61 }, 'iat'],
  ['no iat', { iat: undefined }, 'iat'],
  ['iat as a string', { iat: String(NOW) }, 'iat'],
  ['iat of half a second', { iat: NOW + 0.5 }, 'iat'],
])('the claims are judged: %s', (_, claims, expected) => {
  expect(problem({}, claims)).toBe(expected)
})

test('escapes in the URL are compared in one case', () => {
  expect(problem({}, { htu: 'https://broker.example/t/a%2fb' }, { url: 'https://broker.example/t/a%2Fb' })).toBe(
    'accepted',
  )
})

const thumbprint = (jwk: Record<string, string>): string =>
  createHash('sha256')
    .update(thumbprintInput(jwk as PublicJwk))
    .digest('base64url')

test('the thumbprint of the key in RFC 9449 §6.1 is the one the standard gives, whatever else the JWK says', () => {
  const jwk = {
    kty: 'EC',
    x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
    y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    crv: 'P-256',
    kid: 'x',
  }
  expect(thumbprint(jwk)).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
  expect(readPublicJwk(jwk)).not.toHaveProperty('kid')
})

test('the thumbprint of the key in RFC 7638 §3.1 is the one the standard gives', () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
  expect(thumbprint({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' })).toBe(
    'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  )
})
