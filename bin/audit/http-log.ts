// A tenant's public log over HTTP: checkpoint, tiles, verifier keys. No events are to be had there.
import { LIMITS } from '../../lib/domain/limits.ts'
import { tilePath } from '../../lib/domain/tlog/tiles.ts'
import type { LogSource } from '../../lib/ports/tenant-log.ts'
import { CannotOpen } from './open-log.ts'

/** `url`: of the log, `https://<host>/t/<tenant>/log`. */
export const openHttpLog = (url: string): LogSource & { readonly vkeys: () => Promise<readonly string[]> } => {
  const base = url.replace(/\/+$/, '')
  const get = async (path: string): Promise<Uint8Array | null> => {
    let response: Response
    try {
      response = await fetch(`${base}/${path}`, {
        redirect: 'error',
        signal: AbortSignal.timeout(LIMITS.clientTimeoutMs),
      })
    } catch {
      throw new CannotOpen(`${base} does not answer`, 'unavailable')
    }
    if (response.status === 404) return null
    if (!response.ok) throw new CannotOpen(`${base} answers ${response.status}`, 'unavailable')
    return new Uint8Array(await response.arrayBuffer())
  }
  const text = async (path: string): Promise<string | null> => {
    const bytes = await get(path)
    return bytes === null ? null : Buffer.from(bytes).toString('utf8')
  }
  return {
    checkpoint: () => text('checkpoint'),
    tile: (name) => get(tilePath(name)),
    leaves: async () => null,
    vkeys: async () => ((await text('vkeys')) ?? '').split('\n').filter((line) => line !== ''),
  }
}
