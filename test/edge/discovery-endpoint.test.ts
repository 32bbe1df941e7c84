import { expect, test } from 'vitest'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { type DiscoveryEndpointOptions, discoveryEndpoint } from '../../lib/edge/discovery-endpoint.ts'
import { ofKnownTenant } from '../../lib/edge/known-tenant.ts'

const ISSUER = 'https://sts.example.com/t/acme'
const KEY = { kid: 'k1', alg: 'ES256', publicJwk: { kty: 'EC', crv: 'P-256', x: 'X', y: 'Y' } } as const
const SIGNAL = { ...KEY, kid: 's1' } as const
const OAUTH = '/.well-known/oauth-authorization-server/t/acme'
const OIDC = '/t/acme/.well-known/openid-configuration'
const JWKS = '/t/acme/jwks.json'
const SIGNAL_JWKS = '/t/acme/signal-jwks.json'
const RESOURCE = '/.well-known/oauth-protected-resource/t/acme'

type TokenKeys = NonNullable<Awaited<ReturnType<DiscoveryEndpointOptions['publish']>>>['tokenKeys']

const get = (rawPath: string, { method = 'GET', headers = {}, keys = [KEY] as TokenKeys } = {}) =>
  discoveryEndpoint({
    publish: async (tenant) =>
      tenant === 'acme' ? { issuerUrl: ISSUER, tokenKeys: keys, signalKeys: [SIGNAL] } : null,
    tokenTypes: ['urn:one'],
    takesOwnTokens: true,
    digest: nodeDigest.sha256,
  })({ rawPath, headers, requestContext: { http: { method, sourceIp: '192.0.2.1' } } })

test.each([
  [OAUTH, { issuer: ISSUER, response_types_supported: [], requested_token_types_supported: ['urn:one'] }],
  [OIDC, { issuer: ISSUER, id_token_signing_alg_values_supported: ['ES256'] }],
  [JWKS, { keys: [{ ...KEY.publicJwk, kid: 'k1', alg: 'ES256', use: 'sig' }] }],
  [SIGNAL_JWKS, { keys: [{ ...KEY.publicJwk, kid: 's1', alg: 'ES256', use: 'sig' }] }],
  [RESOURCE, { resource: ISSUER, authorization_servers: [ISSUER], bearer_methods_supported: ['header'] }],
])('%s is a public document: JSON, cacheable for 5 minutes, readable from any page', async (path, document) => {
  const { statusCode, headers, body } = await get(path)
  expect(statusCode).toBe(200)
  expect(JSON.parse(body)).toMatchObject(document)
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'public, max-age=300',
    'access-control-allow-origin': '*',
  })
  expect(headers['etag']).toMatch(/^"[A-Za-z0-9_-]{43}"$/)
})

test('a document that is known is not sent again; the tag may be weakened by a proxy or one of several', async () => {
  const etag = (await get(JWKS)).headers['etag']!
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const { statusCode, headers, body } = await get(JWKS, { headers: { 'if-none-match': known } })
    expect([statusCode, body, headers['etag'], headers['cache-control']]).toEqual([
      304,
      '',
      etag,
      'public, max-age=300',
    ])
  }
  for (const other of ['"other"', etag.slice(1, -1), ''])
    expect((await get(JWKS, { headers: { 'if-none-match': other } })).statusCode).toBe(200)
})

test('the tag follows the bytes: a rotated key set is never taken for the one before', async () => {
  const etag = (await get(JWKS)).headers['etag']!
  const rotated = await get(JWKS, { keys: [KEY, { ...KEY, kid: 'k2' }], headers: { 'if-none-match': etag } })
  expect(rotated.statusCode).toBe(200)
  expect(rotated.headers['etag']).not.toBe(etag)
})

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'get', ''])(
  'method "%s" is refused and told which are served',
  async (method) => {
    const { statusCode, headers } = await get(JWKS, { method })
    expect([statusCode, headers['allow'], headers['cache-control']]).toEqual([405, 'GET, HEAD', 'no-store'])
  },
)

test('HEAD has the headers of GET', async () => {
  expect((await get(JWKS, { method: 'HEAD' })).headers).toEqual((await get(JWKS)).headers)
})

test.each([
  '/t/globex/jwks.json',
  '/.well-known/oauth-authorization-server/t/globex',
  '/.well-known/oauth-authorization-server/t/acme/',
  '/.well-known/oauth-authorization-server/t/acme/jwks.json',
  '/.well-known/oauth-authorization-server',
  '/t/acme/.well-known/openid-configuration/x',
  '/t/acme/signal-jwks.json/',
  '/t/ACME/jwks.json',
  '/t/acme%2f/jwks.json',
  '/t/../t/acme/jwks.json',
  '/jwks.json',
])('%s is not found, as JSON that no cache keeps', async (path) => {
  const { statusCode, headers, body } = await get(path)
  expect(statusCode).toBe(404)
  expect(JSON.parse(body)).toEqual({ error: 'not_found' })
  expect(headers['cache-control']).toBe('no-store')
})

test('no header of the request reaches a document', async () => {
  const { body } = await get(OAUTH, { headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' } })
  expect(body).not.toContain('evil')
})

test.each([OAUTH, OIDC, JWKS, SIGNAL_JWKS, RESOURCE])(
  '%s: another method is 405, and 404 of a tenant that is not there',
  async (path) => {
    const tenants = { current: async (tenant: string) => (tenant === 'acme' ? {} : null) }
    const handler = ofKnownTenant(tenants, (event) => get(event.rawPath, { method: 'PUT' }))
    const ask = async (rawPath: string) =>
      (await handler({ rawPath, headers: {}, requestContext: { http: { method: 'PUT', sourceIp: '192.0.2.1' } } }))
        .statusCode
    expect([await ask(path), await ask(path.replace('/t/acme', '/t/nobody'))]).toEqual([405, 404])
  },
)
