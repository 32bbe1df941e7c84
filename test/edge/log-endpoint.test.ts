// The public log is read by whoever likes: one of them must not keep the others from it.
import { expect, test } from 'vitest'
import { createMemoryRateLimiter } from '../../lib/adapters/memory/rate-limiter.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { logEndpoint } from '../../lib/edge/log-endpoint.ts'
import { admitSource } from '../../lib/flows/admit-source.ts'

test('a source that asks without end is told to wait, before anything is read for it; another one is served', async () => {
  let reads = 0
  const clock = { nowMs: () => 1_000_000, nowSeconds: () => 1_000, monotonicMs: () => 1_000_000 }
  const handle = logEndpoint({
    checkpoint: async () => {
      reads += 1
      return { size: 1, note: 'log\n1\n\n' }
    },
    tile: async () => null,
    verifierKeys: async () => [],
    admitSource: admitSource(createMemoryRateLimiter(clock), 'log', LIMITS.logSourceRate),
  })
  const get = (sourceIp: string) =>
    handle({
      rawPath: '/t/acme/log/checkpoint',
      headers: {},
      requestContext: { http: { method: 'GET', sourceIp } },
    } as never)
  const [, burst] = LIMITS.logSourceRate
  for (let at = 0; at < burst; at += 1) await get('192.0.2.1')
  const before = reads
  const refused = await get('192.0.2.1')
  expect([refused.statusCode, reads]).toEqual([429, before])
  expect(Number(refused.headers?.['retry-after'])).toBeGreaterThanOrEqual(1)
  expect((await get('198.51.100.7')).statusCode).toBe(200)
})
