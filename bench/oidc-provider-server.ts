// The peer: oidc-provider with an RFC 8693 grant and its memory adapter. Its replay detection stays out, so that the peer
// is at its best (performance.md §4). One public client, `bench`.
import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { Provider } from 'oidc-provider'
import { listen, readPeerSettings } from './bench-server.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const LIFETIME_SECONDS = 600
const { jwks, audience, issuer } = readPeerSettings()
const keys = createLocalJWKSet(jwks)
const { privateKey } = await generateKeyPair('ES256', { extractable: true })

const provider = new Provider('http://127.0.0.1', {
  clients: [
    {
      client_id: 'bench',
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: 'ES256',
      grant_types: [GRANT],
      redirect_uris: [],
      response_types: [],
    },
  ],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'bench', alg: 'ES256', use: 'sig' }] },
  features: { devInteractions: { enabled: false } },
})

provider.registerGrantType(
  GRANT,
  async (context) => {
    try {
      const { subject_token: subjectToken = '', audience: target = '' } = context.oidc.params
      const { payload } = await jwtVerify(subjectToken, keys, { issuer, audience, algorithms: ['RS256'] })
      const token = await new SignJWT({ client_id: 'bench', scope: 'deploy:read deploy:write' })
        .setProtectedHeader({ alg: 'ES256', kid: 'bench', typ: 'at+jwt' })
        .setIssuer(audience)
        .setSubject(String(payload.sub))
        .setAudience(target)
        .setIssuedAt()
        .setExpirationTime(`${LIFETIME_SECONDS}s`)
        .setJti(randomUUID())
        .sign(privateKey)
      context.body = {
        access_token: token,
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: LIFETIME_SECONDS,
      }
    } catch {
      context.status = 400
      context.body = { error: 'invalid_grant' }
    }
  },
  ['audience', 'scope', 'subject_token', 'subject_token_type'],
)

listen(provider.callback())
