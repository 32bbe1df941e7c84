// GET /t/{tenant}/revocations?since=N: a signed page of the revocation feed. Public and cacheable for seconds: a page says how old
// it is, and a cache can make it neither younger nor different. One spelling of the query, or anybody could pass any cache by.
import { LIMITS } from '../domain/limits.ts'
import { FEED_TYPE } from '../domain/revocation-feed.ts'
import { sourceKey } from '../domain/source-key.ts'
import { httpError, onlyRead, tooMany } from './form-request.ts'
import { type HttpHandler, notFound, tenantOfPath } from './http.ts'

export type FeedEndpointOptions = {
  readonly feed: (tenant: string, cursor: number) => Promise<string | null>
  /** Limit L1: a page may have to be read and signed. Seconds to wait, or null to go on. */
  readonly admitSource: (source: string) => Promise<number | null> | number | null
}

const CURSOR = /^since=(0|[1-9][0-9]{0,14})$/

export const feedEndpoint =
  ({ feed, admitSource }: FeedEndpointOptions): HttpHandler =>
  async (event) => {
    const tenant = tenantOfPath(event.rawPath)
    if (tenant === null || event.rawPath !== `/t/${tenant}/revocations`) return notFound()
    const { method, sourceIp } = event.requestContext.http
    if (method !== 'GET' && method !== 'HEAD') return onlyRead()
    const query = event.rawQueryString ?? ''
    const cursor = query === '' ? '0' : CURSOR.exec(query)?.[1]
    if (cursor === undefined) return httpError(400, 'invalid_request', 'since=N, or nothing')
    const waitSeconds = await admitSource(sourceKey(sourceIp))
    if (waitSeconds !== null) return tooMany(waitSeconds)
    const page = await feed(tenant, Number(cursor))
    if (page === null) return notFound()
    const headers = {
      'content-type': `application/${FEED_TYPE}`,
      'cache-control': `public, max-age=${LIMITS.feedMaxAgeSeconds}, stale-if-error=${LIMITS.feedSeconds / 2}`,
      'access-control-allow-origin': '*',
    }
    return { statusCode: 200, headers, body: page }
  }
