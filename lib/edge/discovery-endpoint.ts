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
} from '../wire/metadata.ts'
import { type HttpEvent, type HttpHandler, type HttpResponse, jsonResponse, tenantOfPath } from './http.ts'

type Published = { readonly issuerUrl: string; readonly tokenKeys: readonly PublishedKey[] }

export type DiscoveryEndpointOptions = {
  /** Null: no such tenant. */
  readonly publish: (tenant: string) => Promise<Published | null>
  /** URNs of the kinds of credential that are issued here. */
  readonly tokenTypes: readonly string[]
  /** SHA-256, base64url. */
  readonly digest: (text: string) => string
}

type Document = 'oauth' | 'oidc' | 'jwks'

/** Routes: see docs/design.md, HTTP surface. GET and HEAD; the host leaves the body of a HEAD away. */
export const discoveryEndpoint =
  ({ publish, tokenTypes, digest }: DiscoveryEndpointOptions): HttpHandler =>
  async (event) => {
    const wanted = documentOf(event.rawPath)
    if (wanted === null) return notFound()
    const { method } = event.requestContext.http
    if (method !== 'GET' && method !== 'HEAD')
      return jsonResponse(405, { error: 'method_not_allowed' }, { allow: 'GET, HEAD' })
    const published = await publish(wanted.tenant)
    if (published === null) return notFound()
    return documentResponse(event, render(wanted.document, published, tokenTypes), digest)
  }

const documentOf = (rawPath: string): { readonly document: Document; readonly tenant: string } | null => {
  if (rawPath.startsWith(`${OAUTH_METADATA_PREFIX}/`)) {
    const path = rawPath.slice(OAUTH_METADATA_PREFIX.length)
    const tenant = tenantOfPath(path)
    return tenant !== null && path === `/t/${tenant}` ? { document: 'oauth', tenant } : null
  }
  const tenant = tenantOfPath(rawPath)
  if (tenant === null) return null
  const rest = rawPath.slice(`/t/${tenant}`.length)
  if (rest === OIDC_METADATA_SUFFIX) return { document: 'oidc', tenant }
  return rest === JWKS_SUFFIX ? { document: 'jwks', tenant } : null
}

const render = (document: Document, { issuerUrl, tokenKeys }: Published, tokenTypes: readonly string[]): unknown => {
  switch (document) {
    case 'oauth':
      return oauthMetadata(issuerUrl, tokenTypes)
    case 'oidc':
      return oidcMetadata(
        issuerUrl,
        tokenKeys.map(({ alg }) => alg),
      )
    case 'jwks':
      return jwksDocument(tokenKeys)
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

const notFound = (): HttpResponse => jsonResponse(404, { error: 'not_found' })
