// Metadata of a tenant's issuer: RFC 8414 for OAuth clients, OIDC discovery for the clouds that federate with it. Lists what
// is built and nothing else. Pure.
import { DPOP_ALGORITHMS } from '../domain/dpop.ts'
import { OWN_SCOPES } from '../domain/own-token.ts'
import type { OwnAlgorithm } from '../domain/signing-key.ts'
import { JWT_BEARER, TOKEN_EXCHANGE, TYPE_ACCESS_TOKEN, TYPE_AWS_CREDENTIALS } from '../domain/token-request.ts'

/** RFC 8414 §3.1 inserts its well-known part before the issuer's path; OIDC discovery §4 appends it. */
export const OAUTH_METADATA_PREFIX = '/.well-known/oauth-authorization-server'
export const OIDC_METADATA_SUFFIX = '/.well-known/openid-configuration'
/** RFC 9728 §3.1 inserts too. */
export const RESOURCE_METADATA_PREFIX = '/.well-known/oauth-protected-resource'
export const JWKS_SUFFIX = '/jwks.json'
export const SIGNAL_JWKS_SUFFIX = '/signal-jwks.json'

const shared = (issuerUrl: string) => ({
  issuer: issuerUrl,
  token_endpoint: `${issuerUrl}/token`,
  jwks_uri: `${issuerUrl}${JWKS_SUFFIX}`,
  grant_types_supported: [TOKEN_EXCHANGE, JWT_BEARER],
  // No client has a secret here: the evidence is what authenticates.
  token_endpoint_auth_methods_supported: ['none'],
  dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
})

/**
 * Callers authenticate by a token of ours: a name of the access token types, which RFC 8414 §2 allows for introspection. For
 * revocation it has no such name, but leaving it out would say client_secret_basic.
 */
const OWN_TOKEN_METHODS = ['Bearer', 'DPoP']

/**
 * RFC 8414 §2. `response_types_supported` is required though there is no front channel, hence empty (standards §1.4).
 * `requested_token_types_supported` is ours: no standard has a member for what RFC 8693 may be asked for.
 */
export const oauthMetadata = (
  issuerUrl: string,
  { tokenTypes, takesOwnTokens }: { readonly tokenTypes: readonly string[]; readonly takesOwnTokens: boolean },
) => ({
  ...shared(issuerUrl),
  response_types_supported: [],
  requested_token_types_supported: tokenTypes,
  ...(takesOwnTokens
    ? {
        introspection_endpoint: `${issuerUrl}/introspect`,
        introspection_endpoint_auth_methods_supported: OWN_TOKEN_METHODS,
        revocation_endpoint: `${issuerUrl}/revoke`,
        revocation_endpoint_auth_methods_supported: OWN_TOKEN_METHODS,
      }
    : {}),
})

/** RFC 9728 §2: the tenant's own endpoints as a resource, whose only audience is the issuer URL (design §5). */
export const resourceMetadata = (issuerUrl: string) => ({
  resource: issuerUrl,
  authorization_servers: [issuerUrl],
  scopes_supported: OWN_SCOPES,
  bearer_methods_supported: ['header'],
})

/** Where a 401 sends a caller to learn what is accepted (RFC 9728 §5.1). `issuerUrl`: `<base>/t/<tenant>`. */
export const resourceMetadataUrl = (issuerUrl: string): string => {
  const path = new URL(issuerUrl).pathname
  return `${issuerUrl.slice(0, issuerUrl.length - path.length)}${RESOURCE_METADATA_PREFIX}${path}`
}

export const issuedTokenTypes = ({ hasCloudSessions }: { readonly hasCloudSessions: boolean }): readonly string[] =>
  hasCloudSessions ? [TYPE_ACCESS_TOKEN, TYPE_AWS_CREDENTIALS] : [TYPE_ACCESS_TOKEN]

/** OpenID Connect Discovery 1.0 §3, as far as federation with a cloud reads it. `algorithms`: those of the published keys. */
export const oidcMetadata = (issuerUrl: string, algorithms: readonly OwnAlgorithm[]) => ({
  ...shared(issuerUrl),
  response_types_supported: ['id_token'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: [...new Set(algorithms)].sort(),
})
