// What a new version takes back. Each line is a change that, taken for harmless, would leave alive what a review took away, or the
// other way round would end jobs for nothing.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../../lib/domain/claims.ts'
import { narrowedBetween, WITH_KEYS_ELSEWHERE } from '../../lib/domain/narrowing.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'

type Json = Record<string, unknown>
const TOKEN = {
  type: 'access_token',
  audience: ['https://a.example', 'https://b.example'],
  scope: ['read', 'write'],
  ttl: '10m',
}
const ROLE = { type: 'aws-credentials', role: 'arn:aws:iam::444455556666:role/x' }
const GRANT = {
  from: 'github',
  match: { 'project.id': '7', 'environment.name': ['staging', 'production'], 'workflow.uri': { glob: 'acme/*' } },
  identity: '/ci/{project.id}',
  issue: [TOKEN, ROLE],
}
const KEYS = [
  { kty: 'EC', kid: 'one' },
  { kty: 'EC', kid: 'two' },
]
const ISSUER = {
  provider: 'generic',
  issuer: 'https://ci.example',
  algorithms: ['ES256', 'RS256'],
  org_id: ['1', '2'],
  jwks: { inline: { keys: KEYS } },
  claims: { 'project.id': 'project' },
}
const document = (grant: Json | null = GRANT, issuer: Json | null = ISSUER, more: Json = {}): JsonValue =>
  ({
    tenant: 'acme',
    trust_domain: 'acme.example',
    issuers: issuer === null ? {} : { github: issuer },
    grants: grant === null ? {} : { deploy: grant },
    ...more,
  }) as JsonValue
const narrowed = (after: JsonValue, before = document()) =>
  narrowedBetween('acme', before, after).map(({ kind, value }) => `${kind} ${value}`)
const grant = (changes: Json): JsonValue => document({ ...GRANT, ...changes })
const issuer = (changes: Json): JsonValue => document(GRANT, { ...ISSUER, ...changes })
const match = (changes: Json): JsonValue => grant({ match: { ...GRANT.match, ...changes } })
const token = (changes: Json): JsonValue => grant({ issue: [{ ...TOKEN, ...changes }, ROLE] })
const only = (audience: string, more: Json = {}): Json => ({ ...TOKEN, audience: [audience], ...more })
/** One entry for each of the two audiences. */
const split = (a: Json, b: Json): JsonValue =>
  grant({ issue: [only('https://a.example', a), ROLE, only('https://b.example', b)] })

describe('a grant is cut that', () => {
  test.each<[string, JsonValue]>([
    ['is gone', document(null)],
    ['takes evidence of another issuer', grant({ from: 'gitlab' })],
    ['gives another identity', grant({ identity: '/other/{project.id}' })],
    ['only reports now', grant({ mode: 'report' })],
    ['has a condition more', match({ 'ref.full': 'refs/heads/main' })],
    ['has another value', match({ 'project.id': '8' })],
    ['has a value less', match({ 'environment.name': ['staging'] })],
    ['has one of its values', match({ 'environment.name': 'staging' })],
    ['has another pattern', match({ 'workflow.uri': { glob: 'acme/**' } })],
    ['has the opposite', match({ 'project.id': { not: '7' } })],
    ['has an audience less', token({ audience: ['https://a.example'] })],
    ['has a scope less', token({ scope: ['read'] })],
    ['gives it for less long', token({ ttl: '599s' })],
    ['asks about one audience, and not the tenant', token({ introspects: ['https://a.example'] })],
    ['has its audiences apart, one of them with a scope less', split({}, { scope: ['read'] })],
    ['has its audiences apart, one of them for less long', split({ ttl: '5m' }, {})],
    ['has one of its audiences only, twice', grant({ issue: [ROLE, ...Array(2).fill(only('https://a.example'))] })],
    [
      'has its scopes apart',
      grant({
        issue: [{ ...TOKEN, scope: ['read'] }, { ...TOKEN, scope: ['write'] }, ROLE],
      }),
    ],
    ['issues the token no more', grant({ issue: [ROLE] })],
    ['issues another role', grant({ issue: [TOKEN, { ...ROLE, role: 'arn:aws:iam::444455556666:role/y' }] })],
  ])('%s', (_, after) => expect(narrowed(after)).toEqual(['grant deploy']))

  test('gave more than the default, which it gives now', () =>
    expect(narrowed(token({ ttl: undefined }), token({ ttl: '11m' }))).toEqual(['grant deploy']))

  test('trusted foreign code, and does no more', () =>
    expect(narrowed(document(), grant({ untrusted_source: 'allow' }))).toEqual(['grant deploy']))
})

describe('a grant is left alone that', () => {
  test.each<[string, JsonValue]>([
    ['is as it was', document()],
    ['is written in another order', document(Object.fromEntries(Object.entries(GRANT).reverse()))],
    ['has a condition less', grant({ match: { 'project.id': '7', 'environment.name': ['staging', 'production'] } })],
    ['has a value more', match({ 'environment.name': ['production', 'test', 'staging'] })],
    ['takes a list with the one value in it', match({ 'project.id': ['7', '8'] })],
    ['has an audience more', token({ audience: [...TOKEN.audience, 'https://c.example'] })],
    ['gives it for longer', token({ ttl: '1h' })],
    ['says the default', token({ ttl: undefined })],
    ['is signed with another algorithm', token({ alg: 'RS256' })],
    ['does something else about replays', token({ on_replay: 'revoke' })],
    ['has its audiences apart, each with all it had', split({}, { ttl: '20m' })],
    [
      'has its audiences in entries that overlap',
      split({ audience: TOKEN.audience }, { scope: ['read', 'write', 'more'] }),
    ],
    ['issues more', grant({ issue: [TOKEN, ROLE, { ...TOKEN, audience: ['https://c.example'] }] })],
    ['has another beside it', document(GRANT, ISSUER, { grants: { deploy: GRANT, other: GRANT } })],
    ['puts other leaves in the token', grant({ claims: ['run.id'] })],
  ])('%s', (_, after) => expect(narrowed(after)).toEqual([]))

  test('only reported: it issued nothing', () =>
    expect(narrowed(document(null), grant({ mode: 'report' }))).toEqual([]))
})

describe('an issuer is cut that', () => {
  test.each<[string, JsonValue]>([
    ['is another one', issuer({ issuer: 'https://ci2.example' })],
    ['wants another audience', issuer({ audience: 'https://sts.example/t/acme/x' })],
    ['may use an algorithm less', issuer({ algorithms: ['ES256'] })],
    ['has a customer less', issuer({ org_id: '1' })],
    ['has a key less', issuer({ jwks: { inline: { keys: KEYS.slice(1) } } })],
    ['has its keys elsewhere', issuer({ jwks: { url: 'https://ci.example/keys' } })],
    ['says a leaf with another claim', issuer({ claims: { 'project.id': 'name' } })],
  ])('%s', (_, after) => expect(narrowed(after)).toEqual(['issuer github']))

  test('had the keys of discovery, and has those at a URL', () =>
    expect(narrowed(issuer({ jwks: { url: 'https://ci.example/keys' } }), issuer({ jwks: undefined }))).toEqual([
      'issuer github',
    ]))

  test.each([...WITH_KEYS_ELSEWHERE])('%s, whose keys the preset knew, has those of discovery now', (provider) =>
    expect(narrowed(issuer({ provider, jwks: { discovery: true } }), issuer({ provider, jwks: undefined }))).toEqual([
      'issuer github',
    ]),
  )

  test('is gone, with what it attested', () =>
    expect(narrowed(document(null, null))).toEqual(['issuer github', 'grant deploy']))
})

test.each<[string, JsonValue]>([
  ['has a key more', issuer({ jwks: { inline: { keys: [...KEYS, { kty: 'EC', kid: 'three' }] } } })],
  ['has a customer more', issuer({ org_id: ['3', '2', '1'] })],
  ['is believed for longer', issuer({ max_age: '60s' })],
  ['maps a leaf more', issuer({ claims: { 'project.id': 'project', 'run.id': 'build' } })],
])('an issuer is left alone that %s', (_, after) => expect(narrowed(after)).toEqual([]))

test('an issuer is left alone whose keys are said to be where they were by default', () => {
  const [said, leftOut] = [issuer({ jwks: { discovery: true } }), issuer({ jwks: undefined })]
  expect([narrowed(said, leftOut), narrowed(leftOut, said)]).toEqual([[], []])
})

test('the presets whose keys are elsewhere by default are known', () => {
  const elsewhere = Object.values(PROVIDER_CATALOG).filter(({ jwksUrl }) => jwksUrl !== undefined)
  expect(new Set(elsewhere.map(({ name }) => name))).toEqual(WITH_KEYS_ELSEWHERE)
})

test('with another trust domain no identity is what it was: all of it is cut', () =>
  expect(narrowed(document(GRANT, ISSUER, { trust_domain: 'other.example' }))).toEqual(['tenant acme']))

test('whatever a document is, against itself nothing is narrowed', () => {
  const names = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue() as fc.Arbitrary<JsonValue>)
  fc.assert(
    fc.property(names, names, (issuers, grants) => {
      const before = { issuers, grants }
      expect(narrowedBetween('acme', before, structuredClone(before))).toEqual([])
    }),
  )
})
