// What is refused for its method or type looks the same wherever it was sent: the code, a constant description, where it is documented.
import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { adminEndpoint } from '../../lib/edge/admin-endpoint.ts'
import { discoveryEndpoint } from '../../lib/edge/discovery-endpoint.ts'
import { feedEndpoint } from '../../lib/edge/feed-endpoint.ts'
import type { HttpEvent, HttpHandler } from '../../lib/edge/http.ts'
import { introspectEndpoint } from '../../lib/edge/introspect-endpoint.ts'
import { logEndpoint } from '../../lib/edge/log-endpoint.ts'
import { metricsEndpoint } from '../../lib/edge/metrics-endpoint.ts'
import { pollEndpoint } from '../../lib/edge/poll-endpoint.ts'

const never = (): never => {
  throw new Error('nothing is asked for what is refused by its head')
}
const newTraceId = () => 't'
const ENDPOINTS: Readonly<Record<string, HttpHandler>> = {
  '/t/acme/jwks.json': discoveryEndpoint({ publish: never, tokenTypes: [], takesOwnTokens: true, digest: never }),
  '/t/acme/revocations': feedEndpoint({ feed: never, admitSource: never }),
  '/t/acme/log/checkpoint': logEndpoint({
    checkpoint: async () => ({ size: 1, note: '' }),
    tile: never,
    verifierKeys: never,
    admitSource: never,
  }),
  '/metrics': metricsEndpoint(never),
  '/t/acme/introspect': introspectEndpoint({ act: never, newTraceId }),
  '/t/acme/receivers/edge/poll': pollEndpoint({ poll: never, newTraceId }),
  '/t/acme/admin/simulate': adminEndpoint({ act: never, newTraceId }),
}
const errors = readFileSync('docs/reference/errors.md', 'utf8')

const send = (rawPath: string, method: string, headers: HttpEvent['headers'] = {}) =>
  ENDPOINTS[rawPath]!({ rawPath, headers, requestContext: { http: { method, sourceIp: '192.0.2.1' } }, body: 'x' })

const expectDocumented = (body: string, error: string): void => {
  const said = JSON.parse(body) as Record<string, string>
  expect(said).toEqual({
    error,
    error_description: expect.any(String),
    error_uri: expect.stringContaining('errors.md#'),
  })
  expect(errors).toContain(`id="${said['error_uri']!.split('#')[1]}"`)
}

test.each(Object.keys(ENDPOINTS))('405 of %s names the methods that are served', async (path) => {
  const { statusCode, headers, body } = await send(path, 'DELETE')
  expect([statusCode, headers['allow']]).toEqual([405, expect.stringMatching(/^(POST|GET, HEAD)$/)])
  expect(headers['cache-control']).toBe('no-store')
  expectDocumented(body, 'method_not_allowed')
})

test.each(['/t/acme/introspect', '/t/acme/receivers/edge/poll', '/t/acme/admin/simulate'])(
  '415 of %s',
  async (path) => {
    const { statusCode, body } = await send(path, 'POST', { 'content-type': 'text/plain' })
    expect(statusCode).toBe(415)
    expectDocumented(body, 'invalid_request')
  },
)

test('a cursor that is none is 400 at the feed', async () => {
  const event = { rawPath: '/t/acme/revocations', headers: {}, rawQueryString: 'since=-1' }
  const http = { method: 'GET', sourceIp: '192.0.2.1' }
  const { statusCode, body } = await ENDPOINTS[event.rawPath]!({ ...event, requestContext: { http } })
  expect(statusCode).toBe(400)
  expectDocumented(body, 'invalid_request')
})

test('every code that HTTP refuses by has its place in the error reference', () => {
  const sources = globSync('{lib/edge,bin/embedded}/*.ts').map((path) => readFileSync(path, 'utf8'))
  const codes = sources.flatMap((source) =>
    [...source.matchAll(/httpError\(\s*\d+,\s*'(\w+)'/g)].map((found) => found[1]!),
  )
  expect(codes).toContain('request_timeout')
  for (const code of codes) expect(errors, code).toContain(`<a id="${code}"></a>`)
})
