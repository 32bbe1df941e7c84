// The embedded HTTP server against sockets that misbehave. Longer than 300 lines: one list of what they do.
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Host, startHost } from '../../bin/embedded/http-host.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { HttpDoor, HttpEvent } from '../../lib/edge/http.ts'
import { manualTime } from '../support/manual-time.ts'
import { until } from '../support/until.ts'

let host: Host | null = null
afterEach(() => host?.close())

const start = async (
  handler: (event: HttpEvent) => Promise<string> | string,
  hostAllowed: ((host: string | undefined) => boolean) | null = null,
) => {
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
    hostAllowed,
    clientOf: (address) => address,
  })
  return host.port
}

/** Sends raw bytes and collects what comes back until the server closes. */
const raw = async (port: number, bytes: string): Promise<string> => {
  let text = ''
  let isClosed = false
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
  socket.on('data', (chunk) => (text += chunk.toString()))
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isClosed = true
  })
  try {
    await until(
      'a connection that the server closes',
      () => ({ isClosed, text }),
      (seen) => seen.isClosed,
    )
    return text
  } finally {
    socket.destroy()
  }
}

/** Of an answer that node:http would give with an empty body: one answer, JSON, which no cache keeps, and the connection closed. */
const expectRefusal = (text: string, status: number): void => {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} \\w`))
  expect(head).toMatch(/^cache-control: no-store$/im)
  expect(head).toMatch(/^connection: close$/im)
  expect(JSON.parse(body)).toMatchObject({ error: 'invalid_request', error_uri: expect.stringContaining('errors.md#') })
}

test('a body that never comes is answered 408 and the connection closed', async () => {
  const port = await start(() => 'unreachable')
  const text = await raw(port, 'POST /t/acme/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc')
  expectRefusal(text, 408)
})

const POST = 'POST /t/acme/token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'

test('a malformed request behind one that is being answered ends the connection after that answer, and adds none', async () => {
  const port = await start(async () => {
    await new Promise((resolve) => setTimeout(resolve, 200))
    return 'first'
  })
  const text = await raw(port, `${POST}garbage\r\n\r\n`)
  expect(text).toMatch(/^HTTP\/1\.1 200 .*first$/s)
})

test('a body that goes on to be malformed after it was refused is not answered twice', async () => {
  const port = await start(() => 'unreachable')
  const chunked = 'POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
  const text = await raw(port, `${chunked}no chunk\r\n`)
  expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
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

test.each(['/healthz', '/readyz'])('%s is read with GET and HEAD, and no other method is served', async (path) => {
  const url = `http://127.0.0.1:${await start(() => 'unreachable')}${path}`
  const ask = (method: string) => fetch(url, { method })
  expect(await Promise.all(['GET', 'HEAD'].map(async (method) => (await ask(method)).status))).toEqual([200, 200])
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const refused = await ask(method)
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  }
})

test('a target in absolute form is the same endpoint, and names the host in the place of Host', async () => {
  const port = await start(
    ({ rawPath, rawQueryString }) => `${rawPath} ${rawQueryString}`,
    (name) => name === 'sts.example',
  )
  const ask = (target: string, hostHeader: string) =>
    raw(port, `POST ${target} HTTP/1.1\r\nHost: ${hostHeader}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  expect(await ask('http://sts.example/t/acme/token?a=b?c', 'other.example')).toMatch(
    /^HTTP\/1\.1 200 .*\/t\/acme\/token a=b\?c$/s,
  )
  expect(await ask('http://other.example/t/acme/token', 'sts.example')).toMatch(/^HTTP\/1\.1 421 /)
  expect(await ask('http://sts.example', 'sts.example')).toMatch(/^HTTP\/1\.1 404 /)
})

test('below a base URL with a path everything is where metadata says, whether a proxy takes that path away or not', async () => {
  const handler = async ({ rawPath }: HttpEvent) => ({ statusCode: 200, headers: {}, body: rawPath })
  host = await startHost({
    host: '127.0.0.1',
    port: 0,
    tenantRoutes: { token: handler, 'log/': handler },
    rootRoutes: [{ prefix: '/.well-known/oauth-authorization-server', handler }],
    basePath: '/sts',
    isReady: () => true,
    hostAllowed: null,
    clientOf: (address) => address,
  })
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${host?.port}${path}`)
    return answer.status === 200 ? await answer.text() : answer.status
  }
  for (const [path, served] of [
    ['/t/acme/token', '/t/acme/token'],
    ['/sts/t/acme/token', '/t/acme/token'],
    ['/sts/t/acme/log/x', '/t/acme/log/x'],
    ['/sts/healthz', 'ok'],
    ['/.well-known/oauth-authorization-server/t/acme', '/.well-known/oauth-authorization-server/t/acme'],
    ['/.well-known/oauth-authorization-server/sts/t/acme', '/.well-known/oauth-authorization-server/t/acme'],
    ['/stst/acme/token', 404],
    ['/sts/sts/t/acme/token', 404],
    ['/.well-known/other/sts/t/acme', 404],
  ])
    expect([path, await get(String(path))]).toEqual([path, served])
})

test('headers over the limit are 431', async () => {
  const port = await start(() => 'unreachable')
  expectRefusal(await raw(port, `POST /t/acme/token HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(9_000)}\r\n\r\n`), 431)
})

test('what is refused before an endpoint sees it is told once, by its status', async () => {
  const told: number[] = []
  let isReady = true
  host = await startHost({
    host: '127.0.0.1',
    port: 0,
    tenantRoutes: { token: async () => ({ statusCode: 400, headers: {}, body: '' }) },
    rootRoutes: [],
    isReady: () => isReady,
    hostAllowed: (name) => name !== 'evil.example',
    clientOf: (address) => address,
    countRefused: (status) => told.push(status),
  })
  const send = (request: string) => raw(host!.port, request)
  const post = 'POST /t/acme/token HTTP/1.1\r\nConnection: close\r\n'
  await send(`${post}Host: x\r\nContent-Length: 0\r\n\r\n`)
  await send('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(told).toEqual([])
  await send(`${post}Host: x\r\nX-Big: ${'a'.repeat(9_000)}\r\n\r\n`)
  await send(`${post}Host: x\r\nContent-Length: 2000\r\n\r\nhalf`)
  await send(`${post}Host: evil.example\r\nContent-Length: 0\r\n\r\n`)
  await send(`${post}Host: x\r\nTransfer-Encoding: chunked\r\n\r\n1;${'e'.repeat(20_000)}\r\n`)
  isReady = false
  await send(`${post}Host: x\r\nContent-Length: 0\r\n\r\n`)
  await send('GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(told).toEqual([431, 408, 421, 413, 503])
})

test('a request that is not HTTP is 400, not a crash', async () => {
  const port = await start(() => 'fine')
  expectRefusal(await raw(port, '\u0000\u0001garbage\r\n\r\n'), 400)
  expect(await raw(port, 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 400 .*"invalid_request"/s,
  )
  expect((await fetch(`http://127.0.0.1:${port}/t/acme/token`, { method: 'POST' })).status).toBe(200)
})

const expecting = (expectation: string, length: number, path = '/t/acme/token') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${length}\r\nExpect: ${expectation}\r\n\r\n`

test('a client that asks first is told to go on, but not where its body is refused unread', async () => {
  const port = await start((event) => `got ${event.body}`)
  expect(await raw(port, `${expecting('100-continue', 2)}ok`)).toMatch(/^HTTP\/1\.1 100 .*HTTP\/1\.1 200 .*got ok$/s)
  const early = await raw(port, expecting('100-continue', 2, '/nowhere'))
  expect(early).toMatch(/^HTTP\/1\.1 404 /)
})

test('a client of HTTP/1.0 knows no answer before the answer, whatever it expects (RFC 9110 §10.1.1)', async () => {
  const port = await start((event) => `got ${event.body}`)
  const asked = `${expecting('100-continue', 2)}ok`.replace('HTTP/1.1', 'HTTP/1.0')
  expect(await raw(port, asked)).toMatch(/^HTTP\/1\.1 200 .*got ok$/s)
})

test('another expectation is ignored, and its answer like any other', async () => {
  const port = await start((event) => `got ${event.body}`)
  expect(await raw(port, `${expecting('banana', 2)}ok`)).toMatch(/^HTTP\/1\.1 200 .*got ok$/s)
})

test('two Host headers are refused, in whatever order and case', async () => {
  const port = await start(() => 'unreachable')
  const hosts = 'Host: x\r\nhOST: y\r\n'
  expect(await raw(port, `GET /healthz HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /)
  expect(await raw(port, `POST /t/acme/token HTTP/1.0\r\n${hosts}Content-Length: 0\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 400 /,
  )
})

test('both Content-Length and Transfer-Encoding are refused (request smuggling)', async () => {
  const port = await start(() => 'unreachable')
  expect(
    await raw(
      port,
      'POST /t/acme/token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
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
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const { promise: finished, resolve: finish } = Promise.withResolvers<string>()
  const port = await start(() => {
    arrive()
    return finished
  })
  const pending = fetch(`http://127.0.0.1:${port}/t/acme/token`, { method: 'POST', body: 'a=b' })
  await arrived
  const closed = host!.close()
  finish('done')
  expect(await (await pending).text()).toBe('done')
  await closed
  host = null
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow()
})

/** `/t/loud/…` is refused at the door, before its body is read. */
const startGuarded = async (
  door: HttpDoor = ({ rawPath }) =>
    rawPath === '/t/loud/token' ? { statusCode: 429, headers: {}, body: 'unread' } : null,
) => {
  const read: string[] = []
  host = await startHost({
    host: '127.0.0.1',
    port: 0,
    tenantRoutes: {
      token: async ({ rawPath }) => {
        read.push(rawPath)
        return { statusCode: 200, headers: {}, body: 'read' }
      },
    },
    tenantDoors: { token: door },
    rootRoutes: [],
    isReady: () => true,
    hostAllowed: null,
    clientOf: (address) => address,
  })
  return { port: host.port, read }
}

test('a door that fails costs its request, and not the process', async () => {
  const { port } = await startGuarded(() => {
    throw new Error('what the door asked is away')
  })
  const answer = await fetch(`http://127.0.0.1:${port}/t/acme/token`, { method: 'POST', body: 'a=b' })
  expect([answer.status, await answer.json()]).toMatchObject([500, { error: 'server_error' }])
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
})

test('what the door refuses is answered before its body came, which goes by; the connection lives on', async () => {
  const { port, read } = await startGuarded()
  const socket = connect(port, '127.0.0.1')
  const closed = once(socket, 'close')
  let text = ''
  const says = (expected: string) =>
    new Promise<void>((resolve) =>
      socket.on('data', (chunk) => {
        text += chunk.toString()
        if (text.includes(expected)) resolve()
      }),
    )
  const refused = says('unread')
  socket.write('POST /t/loud/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n')
  await refused
  socket.write('hello')
  socket.write('POST /t/quiet/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  await closed
  expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 429', 'HTTP/1.1 200'])
  expect(read).toEqual(['/t/quiet/token'])
})

test.each([
  ['is declared too large', `Content-Length: ${LIMITS.bodyBytesMax + 1}`],
  ['has no length', 'Transfer-Encoding: chunked'],
])('a body that %s is not waited for: what the door refuses then ends the connection', async (_, header) => {
  const { port } = await startGuarded()
  expect(await raw(port, `POST /t/loud/token HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 429 .*connection: close.*unread$/is,
  )
})

/** `/loud/…` is told to wait, by a verified rate; `clientOf` as behind a proxy where one is named. Time stands still. */
const startHolding = async (clientOf = (address: string): string => address) => {
  const time = manualTime()
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const reached: string[] = []
  host = await startHost({
    host: '127.0.0.1',
    port: 0,
    tenantRoutes: {
      token: async ({ rawPath }) => {
        reached.push(rawPath)
        if (!rawPath.startsWith('/t/loud/')) return { statusCode: 200, headers: {}, body: 'yours' }
        arrive()
        return { statusCode: 429, headers: {}, body: 'wait', isHeld: true }
      },
    },
    rootRoutes: [],
    isReady: () => true,
    hostAllowed: null,
    clientOf,
    timing: time,
  })
  const { port } = host
  const ask = (tenant: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/t/${tenant}/token`, { method: 'POST', body: 'a=b' })
  return { port, time, ask, arrived, reached }
}

test('a held answer goes out in its time, and nobody else waits for it, not at the same address either', async () => {
  const { time, ask, arrived } = await startHolding()
  let isAnswered = false
  const loud = ask('loud').finally(() => {
    isAnswered = true
  })
  await arrived
  // Whoever held this one too would never come to an end here, where time stands still.
  expect((await ask('quiet')).status).toBe(200)
  expect(isAnswered).toBe(false)
  time.pass(LIMITS.heldAnswerMs[1])
  expect((await loud).status).toBe(429)
})

test('behind a proxy no more are held than it has connections to spare: the oldest goes at once', async () => {
  const { ask } = await startHolding(() => '192.0.2.1')
  const held = Array.from({ length: LIMITS.heldBehindProxyMax + 1 }, () => ask('loud'))
  // Time stands still: only room that was made lets any of them go.
  expect((await Promise.race(held)).status).toBe(429)
  expect((await ask('quiet')).status).toBe(200)
  await host!.close()
  host = null
  await Promise.all(held)
})

test('who sends ahead is not ahead of a held answer: the next request is worked on when it is out, in order', async () => {
  const { port, time, arrived, reached } = await startHolding()
  const socket = connect(port, '127.0.0.1')
  const closed = once(socket, 'close')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  const request = (tenant: string, header = '') =>
    `POST /t/${tenant}/token HTTP/1.1\r\nHost: x\r\n${header}Content-Length: 3\r\n\r\na=b`
  const ahead = `${request('quiet')}${request('loud').repeat(5)}${request('quiet', 'Connection: close\r\n')}`
  const inBody = request('quiet').length - 1
  socket.write(`${request('loud')}${ahead.slice(0, inBody)}`)
  await arrived
  socket.write(ahead.slice(inBody))
  // Another connection is served beside it, so what was sent ahead has had its time.
  await fetch(`http://127.0.0.1:${port}/t/other/token`, { method: 'POST', body: 'a=b' })
  expect(reached).toEqual(['/t/loud/token', '/t/other/token'])
  const pass = setInterval(() => time.pass(LIMITS.heldAnswerMs[1]), 5)
  await closed
  clearInterval(pass)
  expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(
    ['429', '200', ...Array(5).fill('429'), '200'].map((each) => `HTTP/1.1 ${each}`),
  )
})

test('who sends further ahead than anybody needs to is disconnected, and nothing of it is worked on', async () => {
  const { port, reached } = await startHolding()
  const text = await raw(
    port,
    'POST /t/loud/token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'.repeat(LIMITS.requestsAheadMax + 2),
  )
  expect(text).toBe('')
  expect(reached).toHaveLength(1)
})

test('closing does not wait for held answers to fall due', async () => {
  const { ask, arrived } = await startHolding()
  const loud = ask('loud')
  await arrived
  await host!.close()
  host = null
  expect((await loud).status).toBe(429)
})
