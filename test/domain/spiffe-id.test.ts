import { expect, test } from 'vitest'
import { isPathSegment, isTrustDomain, parseSpiffeId, trustDomainOf } from '../../lib/domain/spiffe-id.ts'

test.each([
  'spiffe://acme.example',
  'spiffe://acme.example/ci/7654321/production',
  'spiffe://a_b-c.1/A.b_C-9',
  'spiffe://acme.example/...',
  'spiffe://acme.example/.x',
  `spiffe://${'a'.repeat(255)}/x`,
  `spiffe://a/${'x'.repeat(2048 - 'spiffe://a/'.length)}`,
])('%s is a SPIFFE ID', (id) => {
  expect(parseSpiffeId(id)).toEqual({ ok: true, value: id })
})

test.each([
  ['nothing', ''],
  ['another scheme', 'https://acme.example/x'],
  ['an upper-case scheme', 'SPIFFE://acme.example/x'],
  ['no trust domain', 'spiffe:///x'],
  ['an upper-case trust domain', 'spiffe://Acme.example/x'],
  ['a port', 'spiffe://acme.example:443/x'],
  ['userinfo', 'spiffe://me@acme.example/x'],
  ['a percent in the trust domain', 'spiffe://acme%2eexample/x'],
  ['a trust domain of 256 bytes', `spiffe://${'a'.repeat(256)}/x`],
  ['a trailing slash', 'spiffe://acme.example/'],
  ['a trailing slash after a path', 'spiffe://acme.example/x/'],
  ['an empty segment', 'spiffe://acme.example/x//y'],
  ['.', 'spiffe://acme.example/./y'],
  ['..', 'spiffe://acme.example/x/..'],
  ['a percent-encoded character', 'spiffe://acme.example/x%2fy'],
  ['a colon', 'spiffe://acme.example/a:b'],
  ['a query', 'spiffe://acme.example/x?y'],
  ['a fragment', 'spiffe://acme.example/x#y'],
  ['a space', 'spiffe://acme.example/x y'],
  ['a line end after it', 'spiffe://acme.example/x\n'],
  ['a homoglyph', 'spiffe://acme.example/d\u0435ploy'],
  ['2049 bytes', `spiffe://a/${'x'.repeat(2049 - 'spiffe://a/'.length)}`],
])('refuses %s', (_, text) => {
  expect(parseSpiffeId(text)).toMatchObject({ ok: false, refusal: { kind: 'identity_invalid' } })
})

test('parts are judged alone by the same rules', () => {
  expect(['acme.example', 'Acme', '', 'a:1', 'a/b'].map(isTrustDomain)).toEqual([true, false, false, false, false])
  expect(['production', '.', '..', '', 'a/b', 'a%62'].map(isPathSegment)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ])
  const id = parseSpiffeId('spiffe://acme.example/ci/1')
  expect(id.ok && trustDomainOf(id.value)).toBe('acme.example')
})
