// Resident memory of the broker after N exchanges. Bodies are signed in chunks, because evidence ages in 300 s.
import { join } from 'node:path'
import { AUDIENCE, tokenUrl } from './broker.ts'
import type { LoadGenerator } from './load.ts'
import { type IssuerKey, presign } from './presign.ts'
import { type RunningServer, residentMegabytes } from './start-server.ts'

const CHUNK = 40_000
const CHUNK_SECONDS = 60
const CONNECTIONS = 32

export type MemoryReport = { readonly exchanges: number; readonly failed: number; readonly megabytes: number | null }

/** Stops early, with what was done, when a chunk's time is up. */
export const memoryAfter = async (
  generator: LoadGenerator,
  broker: RunningServer,
  key: IssuerKey,
  dir: string,
  exchanges: number,
): Promise<MemoryReport> => {
  let done = 0
  let failed = 0
  while (done < exchanges) {
    const bodies = await presign(key, AUDIENCE, join(dir, 'memory.bodies'), Math.min(CHUNK, exchanges - done))
    const request = {
      url: tokenUrl(broker),
      file: bodies.file,
      bodyLength: bodies.bodyLength,
      first: 0,
      count: bodies.count,
    }
    const result = await generator.run({
      ...request,
      wrap: false,
      suffix: '',
      connections: CONNECTIONS,
      seconds: CHUNK_SECONDS,
    })
    failed += Object.values(result.failures).reduce((sum, count) => sum + count, 0)
    done += result.answered
    if (result.answered < bodies.count) break
  }
  return { exchanges: done - failed, failed, megabytes: residentMegabytes(broker.pid) }
}
