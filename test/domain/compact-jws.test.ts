import { expect, test } from 'vitest'
import { checkJoseHeader, type HeaderPolicy, parseCompactJws } from '../../lib/domain/compact-jws.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { claims, encodePart, headerOf, type Part, RSA, signParts } from '../support/jws.ts'

const verdict = (token: string): string => {
  const parsed = parseCompactJws(token)
  return parsed.ok ? 'parsed' : parsed.refusal.kind
}
const HEADER = { alg: 'RS256', kid: 'k', typ: 'JWT' }
const tokenOf = (header: Part, payload: Part = {}, signature = 'AAAA'): string =>
  `${encodePart(header)}.${encodePart(payload)}.${signature}`

test('a token comes apart into header, claims, signing input and signature', () => {
  const token = signParts(RSA, headerOf(RSA, { x5t: 'abc' }), claims())
  const parsed = parseCompactJws(token)
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      header: { alg: 'RS256', kid: RSA.kid, typ: 'JWT', jwk: null, members: ['typ', 'alg', 'kid', 'x5t'] },
      claims: claims(),
      signingInput: token.slice(0, token.lastIndexOf('.')),
    },
  })
  expect(parsed.ok && parsed.value.signature.length).toBe(256)
})

test('a header that was read before gives its verdict again, and lends it to no other', () => {
  const kidOf = (token: string): string | null | undefined => {
    const parsed = parseCompactJws(token)
    return parsed.ok ? parsed.value.header.kid : undefined
  }
  // More than are kept: also those that were forgotten read the same.
  for (const _ of ['first', 'again'])
    for (let i = 0; i < 200; i += 1) expect(kidOf(tokenOf({ alg: 'RS256', kid: `k${i}` }))).toBe(`k${i}`)
  for (const _ of ['first', 'again']) {
    expect(verdict(tokenOf({ ...HEADER, crit: ['x'] }))).toBe('header_member_forbidden')
    expect(verdict(tokenOf({ ...HEADER, jwk: {} }))).toBe('header_member_forbidden')
    expect(verdict(`${encodePart(HEADER)}=.${encodePart({})}.AAAA`)).toBe('base64url_not_canonical')
  }
})

test.each([
  ['nothing', ''],
  ['no dot', 'AAAA'],
  ['one dot', 'AAAA.AAAA'],
  ['dots only', '..'],
  ['an empty header', `.${encodePart({})}.AAAA`],
  ['an empty payload', `${encodePart(HEADER)}..AAAA`],
  ['an empty signature', `${encodePart(HEADER)}.${encodePart({})}.`],
  ['a fourth part', `${tokenOf(HEADER)}.AAAA`],
  ['a trailing dot', `${tokenOf(HEADER)}.`],
  ['the five parts of a JWE', `${encodePart(HEADER)}.AAAA.AAAA.AAAA.AAAA`],
])('%s is not a compact JWS', (_, token) => {
  expect(verdict(token)).toBe('token_not_compact')
})

test('a token one byte too large is too large, whatever else is wrong with it; one byte less is parsed', () => {
  const start = `${encodePart(HEADER)}.${encodePart({})}.`
  const filled = (length: number): string => start + 'A'.repeat(length - start.length)
  expect(verdict(filled(LIMITS.tokenBytesMax + 1))).toBe('token_too_large')
  expect(verdict(filled(LIMITS.tokenBytesMax))).not.toBe('token_too_large')
  expect(verdict('.'.repeat(LIMITS.tokenBytesMax + 1))).toBe('token_too_large')
})

test('a header has a limit of its own', () => {
  const padded = (bytes: number): string => {
    const header = JSON.stringify({ ...HEADER, a: 'x'.repeat(1500), b: 'x'.repeat(1500), c: '' })
    return header.replace('"c":""', `"c":"${'x'.repeat(bytes - header.length)}"`)
  }
  expect(verdict(tokenOf(padded(LIMITS.joseHeaderBytesMax)))).toBe('parsed')
  expect(verdict(tokenOf(padded(LIMITS.joseHeaderBytesMax + 1)))).toBe('header_too_large')
})

test.each(['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'cty'])(
  'a header with %s is refused whatever its value is, before any issuer is known',
  (member) => {
    for (const value of [null, '', 'x', true, {}, []])
      expect(verdict(tokenOf({ ...HEADER, [member]: value }))).toBe('header_member_forbidden')
  },
)

test('only a DPoP proof may bring a key, and no evidence passes for one', () => {
  const proof = parseCompactJws(tokenOf({ alg: 'ES256', typ: 'dpop+jwt', jwk: { kty: 'EC' } }))
  expect(proof).toMatchObject({ ok: true, value: { header: { jwk: { kty: 'EC' } } } })
  const lenient: HeaderPolicy = { algorithms: ['ES256'], typ: ['dpop+jwt'], headerMembers: ['jwk'] }
  expect(proof.ok && checkJoseHeader(proof.value, lenient)).toMatchObject({
    refusal: { kind: 'header_member_forbidden', detail: { member: 'jwk' } },
  })
  expect(verdict(tokenOf({ alg: 'ES256', typ: 'dpop+jwt', jwk: 'x' }))).toBe('header_member_invalid')
  expect(verdict(tokenOf({ alg: 'ES256', typ: 'dpop+jwt', jku: 'x' }))).toBe('header_member_forbidden')
})

test.each([
  ['no alg', { kid: 'k' }],
  ['an empty alg', { alg: '', kid: 'k' }],
  ['alg as an array', { alg: ['RS256'], kid: 'k' }],
  ['alg as a number', { alg: 1, kid: 'k' }],
  ['alg as null', { alg: null, kid: 'k' }],
  ['an empty kid', { alg: 'RS256', kid: '' }],
  ['kid as null', { alg: 'RS256', kid: null }],
  ['kid as an object', { alg: 'RS256', kid: { $gt: '' } }],
  ['kid as an array', { alg: 'RS256', kid: ['k'] }],
  ['a kid of 257 bytes', { alg: 'RS256', kid: 'k'.repeat(257) }],
  ['a kid of 258 bytes in 129 characters', { alg: 'RS256', kid: 'é'.repeat(129) }],
  ['typ as a number', { alg: 'RS256', kid: 'k', typ: 1 }],
  ['typ as null', { alg: 'RS256', kid: 'k', typ: null }],
])('%s is refused', (_, header) => {
  expect(verdict(tokenOf(header))).toBe('header_member_invalid')
})

test('a kid of 256 bytes passes', () => {
  expect(verdict(tokenOf({ alg: 'RS256', kid: 'é'.repeat(128) }))).toBe('parsed')
})

test.each([
  ['an array', '[]'],
  ['a string', '"x"'],
  ['a number', '1'],
  ['null', 'null'],
])('a header or payload that is %s is refused', (_, text) => {
  expect(verdict(tokenOf(text))).toBe('json_not_object')
  expect(verdict(tokenOf(HEADER, text))).toBe('json_not_object')
})

const check = (header: Record<string, unknown>, policy: Partial<HeaderPolicy> = {}): string => {
  const parsed = parseCompactJws(tokenOf(header))
  if (!parsed.ok) return parsed.refusal.kind
  const checked = checkJoseHeader(parsed.value, { algorithms: ['RS256'], typ: [], headerMembers: [], ...policy })
  return checked.ok ? 'accepted' : checked.refusal.kind
}

test.each([
  ['x5t and x5t#S256 are ignored', { ...HEADER, x5t: 'a', 'x5t#S256': 'b' }, {}, 'accepted'],
  ['a member nobody registered', { ...HEADER, p2c: 1 }, {}, 'header_member_forbidden'],
  ['a member the preset names', { ...HEADER, ver: 1 }, { headerMembers: ['ver'] }, 'accepted'],
  [
    'a dangerous member the configuration names',
    { ...HEADER, typ: 'dpop+jwt', jwk: {} },
    { headerMembers: ['jwk'] },
    'header_member_forbidden',
  ],
  ['an algorithm not registered', { ...HEADER, alg: 'RS384' }, {}, 'alg_not_allowed'],
  ['an algorithm in lower case', { ...HEADER, alg: 'rs256' }, {}, 'alg_not_allowed'],
  ['an algorithm named like a method of arrays', { ...HEADER, alg: 'length' }, {}, 'alg_not_allowed'],
  ['no typ', { alg: 'RS256', kid: 'k' }, {}, 'accepted'],
  ['typ jwt in another case and as a full media type', { ...HEADER, typ: 'application/jwt' }, {}, 'accepted'],
  ['the typ of another kind of token', { ...HEADER, typ: 'at+jwt' }, {}, 'typ_not_accepted'],
  ['an empty typ', { ...HEADER, typ: '' }, {}, 'typ_not_accepted'],
  ['a typ the preset names', { ...HEADER, typ: 'JOSE' }, { typ: ['JOSE'] }, 'accepted'],
  ['a homoglyph typ', { ...HEADER, typ: 'wor\u212a+jwt' }, { typ: ['work+jwt'] }, 'typ_not_accepted'],
  ['no kid', { alg: 'RS256' }, {}, 'kid_missing'],
])('the header is judged by what the issuer registered: %s', (_, header, policy, expected) => {
  expect(check(header, policy)).toBe(expected)
})
