// Rows 53-55 of the attack catalogue against a real server on loopback.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAddressPolicy } from '../../lib/adapters/http/address-policy.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { startHostileServer } from '../support/hostile-server.ts'
import { COMES_WITHIN_MS } from '../support/until.ts'

const JSON_HEAD = { 'content-type': 'application/json' }
let server: Awaited<ReturnType<typeof startHostileServer>>
beforeAll(async () => {
  server = await startHostileServer({
    '/good': (r) => r.writeHead(200, JSON_HEAD).end('{"keys":[]}'),
    '/redirect': (r) => r.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    '/html': (r) => r.writeHead(200, { 'content-type': 'text/html' }).end('{}'),
    '/gzip': (r) => r.writeHead(200, { ...JSON_HEAD, 'content-encoding': 'gzip' }).end('x'),
    '/echo': (r) => {
      const { method, headers } = r.req
      let body = ''
      r.req.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      r.req.on('end', () => {
        const { 'content-type': type, 'content-length': length, accept } = headers
        r.writeHead(200, JSON_HEAD).end(JSON.stringify({ method, type, length, accept, body }))
      })
    },
    '/500': (r) => r.writeHead(500, JSON_HEAD).end('{}'),
    '/silent': () => undefined,
    '/big': (r) => {
      r.writeHead(200, JSON_HEAD)
      r.end(Buffer.alloc(60_000_000, 32))
    },
    '/slow': (r) => {
      r.writeHead(200, JSON_HEAD)
      const timer = setInterval(() => r.write(' '), 20)
      r.on('close', () => clearInterval(timer))
    },
    '/drop': (r) => {
      r.writeHead(200, { ...JSON_HEAD, 'content-length': '100' })
      r.write('{"keys":')
      setTimeout(() => r.destroy(), 20)
    },
  })
})
afterAll(() => server.close())

/** Answers are judged by what they are, however slow the machine is. */
const how = { expect: 'json', bodyBytesMax: 65_536, connectMs: COMES_WITHIN_MS, totalMs: COMES_WITHIN_MS } as const
const hasty = { ...how, totalMs: 400 } as const
const loopback = async () => ['127.0.0.1']
const client = (resolve: () => Promise<readonly string[]> = loopback) =>
  createGuardedHttp({ dev: true, egressAllow: [], resolve })

test('the body of a good answer comes through as it was sent', async () => {
  const result = await client().get(server.url('/good'), how)
  expect(result.ok && Buffer.from(result.response.body).toString()).toBe('{"keys":[]}')
})

test.each([
  ['53', '/redirect', 'redirect'],
  ['54', '/html', 'content_type'],
  ['54', '/gzip', 'content_encoding'],
  ['54', '/big', 'too_large'],
  ['55', '/slow', 'deadline'],
  ['55', '/silent', 'deadline'],
  ['58', '/500', 'status'],
  ['59', '/drop', 'interrupted'],
])('row %s: %s is refused as %s', async (_row, path, reason) => {
  const limits = reason === 'deadline' ? hasty : how
  expect(await client().get(server.url(path), limits)).toMatchObject({ ok: false, failure: { reason } })
})

test('a POST carries its body and type, is held to the same address, and keeps only statuses that were asked for', async () => {
  const body = { contentType: 'text/plain', text: 'é=1' }
  const echoed = await client().post(server.url('/echo'), body, { ...how, expect: 'any' })
  expect(echoed.ok && JSON.parse(Buffer.from(echoed.response.body).toString())).toEqual({
    method: 'POST',
    type: 'text/plain',
    length: '4',
    accept: '*/*',
    body: 'é=1',
  })
  const refused = { ...how, expect: 'any' } as const
  expect(await client().post(server.url('/500'), body, refused)).toMatchObject({ failure: { reason: 'status' } })
  expect(await client().post(server.url('/500'), body, { ...refused, statuses: [200, 500] })).toMatchObject({
    ok: true,
    response: { status: 500 },
  })
  const elsewhere = client(async () => ['169.254.169.254'])
  const before = server.hits()
  expect(await elsewhere.post(server.url('/echo'), body, refused)).toMatchObject({
    failure: { reason: 'address_refused' },
  })
  expect(server.hits()).toBe(before)
})

test('a header that cannot be sent is a failure of that request, and its value stays unsaid', async () => {
  const body = { contentType: 'text/plain', text: '', headers: { authorization: 'Bearer canary\r\nx: y' } }
  const result = await client().post(server.url('/echo'), body, how)
  expect(result).toEqual({ ok: false, failure: { reason: 'request_refused', status: null, bytes: 0 } })
})

test('row 53: the name is resolved once, and a forbidden second answer is refused without a hit', async () => {
  const answers = [['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1', '10.0.0.1']]
  let lookups = 0
  const http = client(async () => answers[lookups++] ?? [])
  const before = server.hits()
  expect((await http.get(server.url('/good'), how)).ok).toBe(true)
  expect(lookups).toBe(1)
  for (const _ of [1, 2])
    expect(await http.get(server.url('/good'), how)).toMatchObject({ failure: { reason: 'address_refused' } })
  expect(server.hits()).toBe(before + 1)
})

test.each([
  'http://issuer.example/',
  'https://issuer.example:8443/',
  'https://good@evil.example/',
  'https://issuer.example./',
  'https://issuer.example/#a',
  'https://issuer.example/?a',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://127.1/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://10.0.0.1/',
])('row 53: %s is refused before it is resolved', async (url) => {
  let lookups = 0
  const http = client(async () => [`10.0.0.${lookups++}`])
  expect(await http.get(url, how)).toMatchObject({ failure: { reason: 'url_refused' } })
  expect(lookups).toBe(0)
})

test.each([
  '127.0.0.1',
  '0.0.0.0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '::1',
  '::',
  'fe80::1',
  'fc00::1',
  'fd00:ec2::254',
  '::ffff:8.8.8.8',
  '::8.8.8.8',
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '2002:808:808::1',
  '2001::1',
  '2001:db8::1',
  'junk',
  'fe80::1%lo',
])('row 53: %s is never dialled', (address) => {
  expect(createAddressPolicy([]).isForbidden(address)).toBe(true)
})

test('--egress-allow opens what it names, a metadata address only by itself', () => {
  const policy = createAddressPolicy(['10.0.0.0/8', '169.254.0.0/16', '64:ff9b::/96'])
  expect(['8.8.8.8', '2606:4700::1', '10.1.2.3', '64:ff9b::808:808'].filter(policy.isForbidden)).toEqual([])
  expect(['169.254.169.254', '192.168.0.1', '64:ff9b::c0a8:1'].filter((a) => !policy.isForbidden(a))).toEqual([])
  expect(createAddressPolicy(['169.254.169.254/32']).isForbidden('169.254.169.254')).toBe(false)
})
