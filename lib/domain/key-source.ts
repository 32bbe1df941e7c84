// Where an issuer's keys come from (issuers.md §0.10), and the one name of that place. Keys are cached under the name, so
// two sources that could ever hold different keys must never share one (attacks row 56, CVE-2025-59936). Pure.
import type { JsonObject, JsonValue } from './claims.ts'
import { githubKeySet } from './github-keys.ts'
import { type UsableKeys, usableKeys } from './jwk-policy.ts'
import type { SignatureAlgorithm } from './provider.ts'

export type KeySource =
  | {
      readonly kind: 'discovery'
      /** Byte-exact `iss`; its discovery document is fetched from below it. */
      readonly issuer: string
      /** Hosts besides the issuer's own that `jwks_uri` may name. */
      readonly jwksHosts: readonly string[]
      /** The set is a SPIFFE bundle: its `jwt-svid` keys verify, and it may be emptied by a higher `spiffe_sequence`. */
      readonly spiffe?: true
    }
  | {
      readonly kind: 'url'
      readonly url: string
      readonly issuer: string
      readonly spiffe?: true
      /** What is there is GitHub's list of PEM keys and no JWK Set. */
      readonly github?: true
    }
  | {
      readonly kind: 'inline'
      /** The `keys` array of a JWK Set (RFC 7517 §5.1), as the tenant document gives it. */
      readonly keys: JsonValue
      readonly tenant: string
      readonly issuerName: string
      readonly spiffe?: true
    }

export type FetchedKeySource = Exclude<KeySource, { kind: 'inline' }>
export type InlineKeySource = Extract<KeySource, { kind: 'inline' }>

/**
 * The name of a source: JSON of its parts, so that no delimiter in a part can move the border between two. Fetched sources
 * are one across tenants only when everything that decides which bytes are fetched, and how they are judged, is identical;
 * an inline set is its tenant's own and its name holds the keys themselves.
 */
export const keySourceId = (source: KeySource): string => {
  const judged = source.spiffe === true ? 'spiffe' : 'jwks'
  switch (source.kind) {
    case 'discovery':
      return JSON.stringify(['discovery', judged, source.issuer, [...new Set(source.jwksHosts)].sort()])
    case 'url':
      return JSON.stringify(['url', source.github === true ? 'github' : judged, source.issuer, source.url])
    case 'inline':
      return JSON.stringify(['inline', judged, source.tenant, source.issuerName, source.keys])
  }
}

/** OpenID Connect Discovery 1.0 §4.1. */
export const discoveryUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`

/** The inline keys as the JWK Set they stand for. */
export const inlineKeySet = (source: InlineKeySource): JsonObject => ({ keys: source.keys })

/** Every algorithm some issuer may be allowed; which of them one issuer's evidence may use is checked with its header. */
const ALGORITHMS: readonly SignatureAlgorithm[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
]

/** The keys of a source's set that may verify. `jwt-svid` is a use of SPIFFE bundles and of nothing else (issuers.md §0.2). */
export const usableKeysOf = (source: KeySource, jwks: JsonValue): UsableKeys =>
  usableKeys(source.kind === 'url' && source.github === true ? githubKeySet(jwks) : jwks, {
    algorithms: ALGORITHMS,
    uses: source.spiffe === true ? ['sig', 'jwt-svid'] : ['sig'],
  })
