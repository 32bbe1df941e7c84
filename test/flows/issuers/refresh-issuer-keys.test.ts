// trust against a real issuer over HTTP: what a discovery document and a key set may say, and what never replaces a good set.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGuardedHttp } from '../../../lib/adapters/http/guarded-http.ts'
import { createMemoryIssuerKeyStore } from '../../../lib/adapters/memory/issuer-key-store.ts'
import { systemClock } from '../../../lib/adapters/system/clock.ts'
import { type FetchedKeySource, keySourceId } from '../../../lib/domain/key-source.ts'
import { createTrust } from '../../../lib/flows/issuers/refresh-issuer-keys.ts'
import type { IssuerKeyStore, TrustEvent } from '../../../lib/ports/issuer-keys.ts'
import { issuerKey } from '../../support/evidence.ts'

const key = issuerKey('RS256', 'good')
const GOOD = { keys: [key.jwk] }
let server: Server
let base: string
let answers: Record<string, string>
let hits: string[]
let store: IssuerKeyStore
let events: TrustEvent[]

beforeEach(async () => {
  hits = []
  events = []
  store = createMemoryIssuerKeyStore()
  server = createServer((request, response) => {
    hits.push(request.url ?? '')
    const body = answers[request.url ?? '']
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  discovery({})
})
afterEach(() => server.close())

const discovery = (document: Record<string, unknown>, jwks: unknown = GOOD) => {
  answers = {
    '/.well-known/openid-configuration': JSON.stringify({ issuer: base, jwks_uri: `${base}/keys`, ...document }),
    '/keys': typeof jwks === 'string' ? jwks : JSON.stringify(jwks),
  }
}
const source = (): FetchedKeySource => ({ kind: 'discovery', issuer: base, jwksHosts: [] })
const refresh = (from: FetchedKeySource = source(), why: 'cold' | 'due' | 'unknown_key' = 'due') =>
  createTrust({
    http: createGuardedHttp({ dev: true, egressAllow: [] }),
    store,
    clock: systemClock,
    isOwnUrl: (url) => url.startsWith('http://127.0.0.1:1/'),
    observe: (event) => events.push(event),
  }).refresh(from, why)

test('fetches discovery, then the key set it names, and stores it', async () => {
  expect(await refresh()).toMatchObject({ ok: true, fetched: true })
  expect(hits).toEqual(['/.well-known/openid-configuration', '/keys'])
  expect((await store.read(keySourceId(source())))?.jwks).toMatchObject({ keys: [{ kid: 'good' }] })
})

test.each([
  ['another issuer (row 43)', () => discovery({ issuer: 'https://evil.example' }), 'issuer_mismatch'],
  ['an issuer that differs by a slash', () => discovery({ issuer: `${base}/` }), 'issuer_mismatch'],
  ['a key set on another host (mix-up)', () => discovery({ jwks_uri: 'http://localhost:9/keys' }), 'jwks_uri_refused'],
  ['no jwks_uri', () => discovery({ jwks_uri: 7 }), 'discovery_malformed'],
  ['an array', () => (answers['/.well-known/openid-configuration'] = '[]'), 'discovery_malformed'],
  ['a key set that is not JSON', () => discovery({}, '<html>'), 'not_json'],
  ['duplicate members', () => discovery({}, '{"keys":[],"keys":[]}'), 'not_json'],
  ['an empty key set (row 59)', () => discovery({}, { keys: [] }), 'no_usable_key'],
  ['only a symmetric key', () => discovery({}, { keys: [{ kty: 'oct', k: 'AAAA', kid: 'x' }] }), 'no_usable_key'],
  ['a duplicated kid', () => discovery({}, { keys: [key.jwk, key.jwk] }), 'no_usable_key'],
  ['a private key', () => discovery({}, { keys: [{ ...key.jwk, d: 'AQAB' }] }), 'no_usable_key'],
  [
    'more than 64 keys',
    () => discovery({}, { keys: Array.from({ length: 65 }, (_, n) => ({ kty: 'EC', kid: `k${n}` })) }),
    'too_many_keys',
  ],
  ['404', () => delete answers['/keys'], 'fetch_failed'],
])('%s never replaces a good set', async (_, breakIssuer, problem) => {
  await refresh()
  const good = await store.read(keySourceId(source()))
  breakIssuer()
  expect(await refresh()).toMatchObject({ ok: false, problem })
  expect(await store.read(keySourceId(source()))).toEqual(good)
  expect(events.at(-1)).toMatchObject({ kind: 'keys_not_refreshed', keptLastGood: true })
})

test('our own keys are no issuer’s', async () => {
  const own: FetchedKeySource = { kind: 'url', url: 'http://127.0.0.1:1/t/acme/jwks.json', issuer: 'https://x.example' }
  expect(await refresh(own)).toMatchObject({ ok: false, problem: 'own_url' })
})

test('row 57: for unknown key ids an issuer is asked once a minute, whichever process asks', async () => {
  await refresh()
  await refresh(source(), 'unknown_key')
  const before = hits.length
  expect(await refresh(source(), 'unknown_key')).toMatchObject({ ok: true, fetched: false })
  expect(hits).toHaveLength(before)
})

test('a SPIFFE bundle may be emptied by a higher sequence, and never goes back', async () => {
  const bundle: FetchedKeySource = { kind: 'url', url: `${base}/keys`, issuer: 'https://td.example', spiffe: true }
  const svid = { ...key.jwk, use: 'jwt-svid' }
  const at = (spiffe_sequence: number, keys: unknown[]) => discovery({}, { keys, spiffe_sequence })
  at(5, [svid])
  expect(await refresh(bundle)).toMatchObject({ ok: true })
  at(4, [svid])
  expect(await refresh(bundle)).toMatchObject({ ok: false, problem: 'sequence_went_back' })
  at(5, [])
  expect(await refresh(bundle)).toMatchObject({ ok: false, problem: 'no_usable_key' })
  at(6, [])
  expect(await refresh(bundle)).toMatchObject({ ok: true })
})
