import { expect, test } from 'vitest'
import { parseTokenRequest } from '../../lib/wire/token-request.ts'

const EXCHANGE = 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange'
const JWT = 'subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt'
const kindOf = (body: string, key?: string) => {
  const parsed = parseTokenRequest(body, key)
  return parsed.ok ? 'ok' : parsed.refusal.kind
}

test('reads a token exchange (RFC 8693 §2.1)', () => {
  const parsed = parseTokenRequest(
    `${EXCHANGE}&subject_token=a.b.c&${JWT}&audience=https%3A%2F%2Fx&scope=a+b&grant=deploy`,
    'abcdefghijklmnop',
  )
  expect(parsed).toEqual({
    ok: true,
    value: {
      grantType: 'token-exchange',
      evidence: 'a.b.c',
      target: { type: null, audiences: ['https://x'], scope: 'a b', grant: 'deploy' },
      idempotencyKey: 'abcdefghijklmnop',
    },
  })
})

test('reads a jwt-bearer grant (RFC 7523 §2.1) with the same target parameters', () => {
  const parsed = parseTokenRequest(
    'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c&resource=https://x',
    undefined,
  )
  expect(parsed.ok && parsed.value).toMatchObject({
    grantType: 'jwt-bearer',
    evidence: 'a.b.c',
    target: { audiences: ['https://x'] },
  })
})

test('audience and resource may repeat and mix; the same value twice is one target', () => {
  const parsed = parseTokenRequest(`${EXCHANGE}&subject_token=t&${JWT}&audience=a&audience=b&resource=a`, undefined)
  expect(parsed.ok && parsed.value.target.audiences).toEqual(['a', 'b'])
})

test('an id_token is evidence too', () => {
  expect(kindOf(`${EXCHANGE}&subject_token=t&subject_token_type=urn:ietf:params:oauth:token-type:id_token`)).toBe('ok')
})

test.each([
  ['nothing', '', 'request_malformed'],
  ['no grant_type', `subject_token=t&${JWT}`, 'request_malformed'],
  ['another grant type', 'grant_type=client_credentials', 'grant_type_unsupported'],
  ['no subject_token', `${EXCHANGE}&${JWT}`, 'request_malformed'],
  ['an empty subject_token, which is an absent one', `${EXCHANGE}&subject_token=&${JWT}`, 'request_malformed'],
  ['no subject_token_type', `${EXCHANGE}&subject_token=t`, 'request_malformed'],
  [
    'our own token as subject',
    `${EXCHANGE}&subject_token=t&subject_token_type=urn:ietf:params:oauth:token-type:access_token`,
    'parameter_unsupported',
  ],
  [
    'a SAML subject',
    `${EXCHANGE}&subject_token=t&subject_token_type=urn:ietf:params:oauth:token-type:saml2`,
    'parameter_unsupported',
  ],
  [
    'an actor token with a bearer assertion',
    'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=t&actor_token=u',
    'parameter_unsupported',
  ],
  ['an actor token', `${EXCHANGE}&subject_token=t&${JWT}&actor_token=u`, 'parameter_unsupported'],
  ['a repeated subject_token', `${EXCHANGE}&subject_token=t&subject_token=t&${JWT}`, 'request_malformed'],
  ['a repeated scope, even an empty one', `${EXCHANGE}&subject_token=t&${JWT}&scope=&scope=`, 'request_malformed'],
  ['a repeated parameter nobody knows', `${EXCHANGE}&subject_token=t&${JWT}&x=1&x=2`, 'request_malformed'],
  ['an assertion missing', 'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer', 'request_malformed'],
])('refuses %s', (_, body, kind) => {
  expect(kindOf(body)).toBe(kind)
})

test.each(['short', 'a'.repeat(65), 'abcdefghijklmno!', 'abcdefghijklmnop, abcdefghijklmnop', ''])(
  'refuses the Idempotency-Key "%s"',
  (key) => {
    expect(kindOf(`${EXCHANGE}&subject_token=t&${JWT}`, key)).toBe('idempotency_key_invalid')
  },
)
