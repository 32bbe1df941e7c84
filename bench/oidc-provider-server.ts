// The peer: oidc-provider with an RFC 8693 grant and its memory adapter, as its client_credentials grant does it, its own one for
// workloads: the resource server is described where the resourceIndicators feature asks for it, what was asked is cut to that
// server's scopes, and the provider saves the AccessToken, which becomes a JWT. That grant loads no Grant and no Account, for
// nobody consents, and a JWT is not stored: so neither is here, though its grants for users pay for both. Replay detection stays
// out too: the peer is at its best (performance.md §4). One public client, `bench`.
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose'
import { Provider } from 'oidc-provider'
import { listen, readPeerSettings } from './bench-server.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const LIFETIME_SECONDS = 600
const RESOURCE_SERVER = {
  scope: 'deploy:read deploy:write',
  accessTokenFormat: 'jwt',
  accessTokenTTL: LIFETIME_SECONDS,
  jwt: { sign: { alg: 'ES256' } },
}
const SCOPES: ReadonlySet<string> = new Set(RESOURCE_SERVER.scope.split(' '))
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
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: true, getResourceServerInfo: () => RESOURCE_SERVER },
  },
})

provider.registerGrantType(
  GRANT,
  async (context) => {
    try {
      const { subject_token: subjectToken = '', audience: target = '', scope = '' } = context.oidc.params
      const { payload } = await jwtVerify(subjectToken, keys, { issuer, audience, algorithms: ['RS256'] })
      const accessToken = new provider.AccessToken({
        client: context.oidc.client,
        accountId: String(payload.sub),
        gty: GRANT,
        scope:
          scope
            .split(' ')
            .filter((one) => SCOPES.has(one))
            .join(' ') || undefined,
      })
      accessToken.resourceServer = new provider.ResourceServer(target, RESOURCE_SERVER)
      context.oidc.entity('AccessToken', accessToken)
      const token = await accessToken.save()
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
