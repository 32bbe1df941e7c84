// GET of what a tenant publishes: metadata (RFC 8414, OIDC discovery) and key set. Public, cacheable for as long as the
// publication delay of new keys allows for, and readable from any web page. Nothing of a request reaches a document.
import { LIMITS } from '../domain/limits.ts'
import { jwksDocument, type PublishedKey } from '../wire/jwks.ts'
import {
  JWKS_SUFFIX,
  OAUTH_METADATA_PREFIX,
  OIDC_METADATA_SUFFIX,
  oauthMetadata,
  oidcMetadata,
  RESOURCE_METADATA_PREFIX,
  resourceMetadata,
  SIGNAL_JWKS_SUFFIX,
} from '../wire/metadata.ts'
import { onlyRead } from './form-request.ts'
import { type HttpEvent, type HttpHandler, type HttpResponse, notFound, tenantOfPath } from './http.ts'

type Published = {
  readonly issuerUrl: string
  readonly tokenKeys: readonly PublishedKey[]
  readonly signalKeys: readonly PublishedKey[]
}

export type DiscoveryEndpointOptions = {
  /** Null: no such tenant. */
  readonly publish: (tenant: string) => Promise<Published | null>
  /** URNs of the kinds of credential that are issued here. */
  readonly tokenTypes: readonly string[]
  /** True where tokens are introspected and revoked over HTTP too. */
  readonly takesOwnTokens: boolean
  /** SHA-256, base64url. */
  readonly digest: (text: string) => string
}

type Document = 'oauth' | 'oidc' | 'resource' | 'jwks' | 'signal_jwks'

/** Routes: see docs/design.md, HTTP surface. GET and HEAD; the host leaves the body of a HEAD away. */
export const discoveryEndpoint =
  (options: DiscoveryEndpointOptions): HttpHandler =>
  async (event) => {
    const wanted = documentOf(event.rawPath)
    if (wanted === null) return notFound()
    const { method } = event.requestContext.http
    if (method !== 'GET' && method !== 'HEAD') return onlyRead()
    const published = await options.publish(wanted.tenant)
    const document = published === null ? null : render(wanted.document, published, options)
    return document === null ? notFound() : documentResponse(event, document, options.digest)
  }

const documentOf = (rawPath: string): { readonly document: Document; readonly tenant: string } | null => {
  for (const [prefix, document] of INSERTED) {
    if (!rawPath.startsWith(`${prefix}/`)) continue
    const path = rawPath.slice(prefix.length)
    const tenant = tenantOfPath(path)
    return tenant !== null && path === `/t/${tenant}` ? { document, tenant } : null
  }
  const tenant = tenantOfPath(rawPath)
  if (tenant === null) return null
  const rest = rawPath.slice(`/t/${tenant}`.length)
  const document = APPENDED.get(rest)
  return document === undefined ? null : { document, tenant }
}

const INSERTED: readonly (readonly [string, Document])[] = [
  [OAUTH_METADATA_PREFIX, 'oauth'],
  [RESOURCE_METADATA_PREFIX, 'resource'],
]
const APPENDED: ReadonlyMap<string, Document> = new Map([
  [OIDC_METADATA_SUFFIX, 'oidc'],
  [JWKS_SUFFIX, 'jwks'],
  [SIGNAL_JWKS_SUFFIX, 'signal_jwks'],
])

/** Null: not served here. */
const render = (
  document: Document,
  { issuerUrl, tokenKeys, signalKeys }: Published,
  { tokenTypes, takesOwnTokens }: DiscoveryEndpointOptions,
): object | null => {
  switch (document) {
    case 'oauth':
      return oauthMetadata(issuerUrl, { tokenTypes, takesOwnTokens })
    case 'resource':
      return takesOwnTokens ? resourceMetadata(issuerUrl) : null
    case 'oidc':
      return oidcMetadata(
        issuerUrl,
        tokenKeys.map(({ alg }) => alg),
      )
    case 'jwks':
      return jwksDocument(tokenKeys)
    case 'signal_jwks':
      return jwksDocument(signalKeys)
  }
}

const documentResponse = (event: HttpEvent, document: unknown, digest: (text: string) => string): HttpResponse => {
  const body = JSON.stringify(document)
  // Strong (RFC 9110 §8.8.3): it follows from the bytes, so every instance gives the same one.
  const etag = `"${digest(body)}"`
  const headers = {
    'cache-control': `public, max-age=${LIMITS.jwksMaxAgeSeconds}`,
    etag,
    'access-control-allow-origin': '*',
  }
  if (isKnown(event.headers['if-none-match'], etag)) return { statusCode: 304, headers, body: '' }
  return { statusCode: 200, headers: { ...headers, 'content-type': 'application/json' }, body }
}

/** If-None-Match compares weakly (RFC 9110 §13.1.2): a proxy that compressed the body may have weakened the tag. */
const isKnown = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
