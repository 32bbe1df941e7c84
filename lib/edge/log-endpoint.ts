// GET of a tenant's log (C2SP tlog-tiles): checkpoint, tiles and entry bundles of commitments, and the verifier keys. Public and
// cacheable; what no checkpoint covers yet is not there. Nothing of an event can be read from it.
import { LIMITS } from '../domain/limits.ts'
import { sourceKey } from '../domain/source-key.ts'
import { parseTilePath, TILE_WIDTH, type TileName } from '../domain/tlog/tiles.ts'
import { onlyRead, tooMany } from './form-request.ts'
import { type HttpEvent, type HttpHandler, type HttpResponse, notFound, tenantOfPath } from './http.ts'

export type LogEndpointOptions = {
  /** Null: no log, or none that was signed yet. */
  readonly checkpoint: (tenant: string) => Promise<{ readonly size: number; readonly note: string } | null>
  /** The last checkpoint that a witness has signed too; null: none has. */
  readonly witnessed?: (tenant: string) => Promise<string | null>
  readonly tile: (tenant: string, name: TileName) => Promise<Uint8Array | null>
  /** One a line. */
  readonly verifierKeys: (tenant: string) => Promise<readonly string[]>
  /** The same keys as a JWK Set. */
  readonly jwks?: (tenant: string) => Promise<object>
  /** Limit L1, with room for who mirrors a log: seconds to wait, or null to go on. */
  readonly admitSource: (source: string) => Promise<number | null> | number | null
}

export const logEndpoint =
  (options: LogEndpointOptions): HttpHandler =>
  async (event: HttpEvent) => {
    const tenant = tenantOfPath(event.rawPath)
    const path = event.rawPath.slice(`/t/${tenant}/log/`.length)
    if (tenant === null) return notFound()
    const { method, sourceIp } = event.requestContext.http
    if (method !== 'GET' && method !== 'HEAD') {
      if ((await options.checkpoint(tenant)) === null) return notFound()
      return onlyRead()
    }
    const waitSeconds = await options.admitSource(sourceKey(sourceIp))
    if (waitSeconds !== null) return tooMany(waitSeconds)
    const checkpoint = await options.checkpoint(tenant)
    if (checkpoint === null) return notFound()
    if (path === 'checkpoint') return text(checkpoint.note)
    if (path === 'vkeys') return text(`${(await options.verifierKeys(tenant)).join('\n')}\n`)
    if (path === 'jwks.json' && options.jwks !== undefined) return keySet(await options.jwks(tenant))
    const witnessed = path === 'witnessed' ? ((await options.witnessed?.(tenant)) ?? null) : null
    if (witnessed !== null) return text(witnessed)
    const name = parseTilePath(path)
    if (name === null || !isCovered(name, checkpoint.size)) return notFound()
    const bytes = await options.tile(tenant, name)
    return bytes === null ? notFound() : binary(bytes)
  }

const isCovered = ({ level, index, width }: TileName, size: number): boolean =>
  index * TILE_WIDTH + width <= Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level))

const OPEN = { 'access-control-allow-origin': '*' }

/** Always asked for anew: an old checkpoint hides what came since. */
const text = (body: string): HttpResponse => ({
  statusCode: 200,
  headers: { ...OPEN, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' },
  body,
})

const keySet = (keys: object): HttpResponse => ({
  statusCode: 200,
  headers: { ...OPEN, 'content-type': 'application/jwk-set+json', 'cache-control': 'no-cache' },
  body: JSON.stringify(keys),
})

/** A tile of a name is the same for ever, partial ones too. */
const binary = (bytes: Uint8Array): HttpResponse => ({
  statusCode: 200,
  headers: {
    ...OPEN,
    'content-type': 'application/octet-stream',
    'cache-control': `public, max-age=${LIMITS.logTileMaxAgeSeconds}, immutable`,
  },
  body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  isBase64Encoded: true,
})
