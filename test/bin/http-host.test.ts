// The embedded HTTP server against sockets that misbehave.
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Host, startHost } from '../../bin/embedded/http-host.ts'
import type { HttpEvent } from '../../lib/edge/http.ts'

let host: Host | null = null
afterEach(() => host?.close())

const start = async (handler: (event: HttpEvent) => Promise<string> | string) => {
  host = await startHost({
    host: '127.0.0.1',
    port: 0,
    tenantRoutes: {
      token: async (event) => ({
        statusCode: 200,
        headers: { 'content-type': 'text/plain' },
        body: await handler(event),
      }),
    },
    rootRoutes: [],
    isReady: () => true,
    hostAllowed: null,
    clientOf: (address) => address,
  })
  return host.port
}

/** Sends raw bytes and collects what comes back until the server closes or `ms` pass. */
const raw = (port: number, bytes: string, ms = 8_000): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const done = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(text)
    }
    const timer = setTimeout(done, ms)
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('close', done)
    socket.on('error', done)
  })

test('a body that never comes is answered 408 and the connection closed', async () => {
  const port = await start(() => 'unreachable')
  const text = await raw(port, 'POST /t/acme/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc')
  expect(text).toMatch(/^HTTP\/1\.1 408 /)
})

test.each([
  '/healthz;/../t/acme/token',
  '/healthz/../t/acme/token',
  '/healthz%2f..%2ft/acme/token',
  '/HEALTHZ',
  '//healthz',
  '/healthz/',
  '/t/acme/healthz',
  '/t/acme/../../healthz',
  '/t/acme/token;healthz',
])('row 69: %s is neither the health check nor an endpoint, whoever asks', async (path) => {
  const port = await start(() => 'reached')
  for (const agent of ['kube-probe/1.33', 'ELB-HealthChecker/2.0', 'curl'])
    expect(
      await raw(
        port,
        `POST ${path} HTTP/1.1\r\nHost: x\r\nUser-Agent: ${agent}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1\.1 404 /)
})

test('headers over the limit are 431', async () => {
  const port = await start(() => 'unreachable')
  expect(
    await raw(port, `POST /t/acme/token HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(9_000)}\r\n\r\n`, 2_000),
  ).toMatch(/^HTTP\/1\.1 431 /)
})

test('a request that is not HTTP is 400, not a crash', async () => {
  const port = await start(() => 'fine')
  expect(await raw(port, '\u0000\u0001garbage\r\n\r\n', 2_000)).toMatch(/^HTTP\/1\.1 400 /)
  expect((await fetch(`http://127.0.0.1:${port}/t/acme/token`, { method: 'POST' })).status).toBe(200)
})

test('both Content-Length and Transfer-Encoding are refused (request smuggling)', async () => {
  const port = await start(() => 'unreachable')
  expect(
    await raw(
      port,
      'POST /t/acme/token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      2_000,
    ),
  ).toMatch(/^HTTP\/1\.1 400 /)
})

test('bytes that are not ASCII reach the strict parser as they are', async () => {
  const bytesOf = (event: HttpEvent) => Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')
  const port = await start((event) => JSON.stringify([...bytesOf(event)]))
  const response = await fetch(`http://127.0.0.1:${port}/t/acme/token`, {
    method: 'POST',
    body: new Uint8Array([0x61, 0xff, 0x00]),
  })
  expect(await response.json()).toEqual([0x61, 0xff, 0x00])
})

test('closing waits for what is under way', async () => {
  let finish: (text: string) => void = () => undefined
  const port = await start(() => new Promise((resolve) => (finish = resolve)))
  const pending = fetch(`http://127.0.0.1:${port}/t/acme/token`, { method: 'POST', body: 'a=b' })
  await new Promise((resolve) => setTimeout(resolve, 100))
  const closed = host!.close()
  finish('done')
  expect(await (await pending).text()).toBe('done')
  await closed
  host = null
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow()
})
