import { expect, test } from 'vitest'
import { jwksDocument } from '../../lib/wire/jwks.ts'
import { oauthMetadata, oidcMetadata } from '../../lib/wire/metadata.ts'

const ISSUER = 'https://sts.example.com/t/acme'

test('RFC 8414 metadata lists what is built and nothing else', () => {
  expect(oauthMetadata(ISSUER, { tokenTypes: ['urn:one'], takesOwnTokens: false })).toEqual({
    issuer: ISSUER,
    token_endpoint: `${ISSUER}/token`,
    jwks_uri: `${ISSUER}/jwks.json`,
    grant_types_supported: [
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ],
    token_endpoint_auth_methods_supported: ['none'],
    dpop_signing_alg_values_supported: ['ES256', 'ES384', 'RS256', 'PS256'],
    response_types_supported: [],
    requested_token_types_supported: ['urn:one'],
  })
})

test('OIDC discovery has the members clouds require, and names the algorithms of the published keys once each', () => {
  expect(oidcMetadata(ISSUER, ['RS256', 'ES256', 'ES256'])).toMatchObject({
    issuer: ISSUER,
    jwks_uri: `${ISSUER}/jwks.json`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'RS256'],
  })
})

test('a key set shows the public members only, whatever else a row holds, and is the same text in any order', () => {
  const ec = { kid: 'b', alg: 'ES256', publicJwk: { kty: 'EC', crv: 'P-256', x: 'X', y: 'Y', d: 'PRIVATE' } } as const
  const rsa = { kid: 'a', alg: 'RS256', publicJwk: { kty: 'RSA', n: 'N', e: 'AQAB', p: 'PRIVATE' } } as const
  const document = jwksDocument([ec, rsa])
  expect(document).toEqual({
    keys: [
      { kty: 'RSA', n: 'N', e: 'AQAB', kid: 'a', alg: 'RS256', use: 'sig' },
      { kty: 'EC', crv: 'P-256', x: 'X', y: 'Y', kid: 'b', alg: 'ES256', use: 'sig' },
    ],
  })
  expect(JSON.stringify(jwksDocument([rsa, ec]))).toBe(JSON.stringify(document))
})

test('a row without a member of its public key is a bug, not a broken key set', () => {
  expect(() => jwksDocument([{ kid: 'a', alg: 'ES256', publicJwk: { kty: 'EC', x: 'X' } }])).toThrow(TypeError)
})
