// The way keys are fetched in production, against real TLS servers: whose certificate counts, which protocol, and that the
// connection goes to the judged address while name and Host stay those of the URL (attacks A5, rows 53-55, 58).
import { execFile } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { type Identity, issueCertificate, newAuthority, selfSigned } from '../support/certificates.ts'
import type { Script } from '../support/hostile-server.ts'
import { startTlsServer } from '../support/tls-server.ts'
import { COMES_WITHIN_MS } from '../support/until.ts'

const NAME = 'issuer.example'
const CANARY = 'canary-of-a-foreign-host'
const DAY_MS = 24 * 3600 * 1000
const authority = newAuthority('test authority')
const good = issueCertificate(authority, { subject: NAME, dnsNames: [NAME] })

const how = { expect: 'json', bodyBytesMax: 65_536, connectMs: COMES_WITHIN_MS, totalMs: COMES_WITHIN_MS } as const
const keys: Script = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}')

type ClientOptions = { readonly port: number; readonly resolve?: () => Promise<readonly string[]> }
const client = ({ port, resolve = async () => ['127.0.0.1'] }: ClientOptions) =>
  createGuardedHttp({
    dev: false,
    egressAllow: ['127.0.0.0/8', '::1/128'],
    ports: [port],
    ca: authority.cert,
    resolve,
  })

test('a certificate for the right name, by a trusted authority, is accepted; SNI and Host are those of the URL', async () => {
  const server = await startTlsServer(good, keys)
  const result = await client(server).get(`https://${NAME}:${server.port}/jwks`, how)
  expect(result.ok && Buffer.from(result.response.body).toString()).toBe('{"keys":[]}')
  expect(server.asked).toEqual([{ servername: NAME, host: `${NAME}:${server.port}` }])
})

const WRONG: Readonly<Record<string, () => Identity>> = {
  'another name': () => issueCertificate(authority, { subject: NAME, dnsNames: ['other.example'] }),
  'a name that only begins like ours': () =>
    issueCertificate(authority, { subject: NAME, dnsNames: [`${NAME}.evil.example`] }),
  'a wildcard one label up': () => issueCertificate(authority, { subject: NAME, dnsNames: ['*.com', '*.a.example'] }),
  'a self-signed one': () => selfSigned({ subject: NAME, dnsNames: [NAME] }),
  'another authority of the same name': () =>
    issueCertificate(newAuthority('test authority'), { subject: NAME, dnsNames: [NAME] }),
  'a chain through a server certificate, which may sign nothing': () => {
    const leaf = issueCertificate(
      { name: NAME, privateKey: createPrivateKey(good.key) },
      { subject: NAME, dnsNames: [NAME] },
    )
    return { ...leaf, cert: leaf.cert + good.cert }
  },
  'an expired one': () =>
    issueCertificate(authority, {
      subject: NAME,
      dnsNames: [NAME],
      notBefore: new Date(Date.now() - 3 * DAY_MS),
      notAfter: new Date(Date.now() - DAY_MS),
    }),
  'one that is not valid yet': () =>
    issueCertificate(authority, {
      subject: NAME,
      dnsNames: [NAME],
      notBefore: new Date(Date.now() + DAY_MS),
      notAfter: new Date(Date.now() + 2 * DAY_MS),
    }),
}

test.each(Object.keys(WRONG))(
  '%s is refused in the handshake: no request is made, none of it is in the answer',
  async (name) => {
    const server = await startTlsServer(WRONG[name]!(), keys)
    const result = await client(server).get(`https://${NAME}:${server.port}/`, how)
    expect(result).toEqual({ ok: false, failure: { reason: 'connect_failed', status: null, bytes: 0 } })
    expect([server.connections(), server.asked]).toEqual([1, []])
  },
)

/** What OpenSSL speaks only when it is told to lower its guard. */
const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const

test('TLS 1.1 and older is refused', async () => {
  const server = await startTlsServer(good, keys, OLD)
  // The server does speak it, to whoever asks for it.
  const lax = connect({ port: server.port, host: '127.0.0.1', servername: NAME, ca: authority.cert, ...OLD })
  await new Promise((resolve, reject) => lax.once('secureConnect', resolve).once('error', reject))
  expect(lax.getProtocol()).toBe('TLSv1.1')
  lax.destroy()
  expect(await client(server).get(`https://${NAME}:${server.port}/`, how)).toMatchObject({
    failure: { reason: 'connect_failed', status: null },
  })
  expect(server.asked).toEqual([])
})

test('a name that leads elsewhere when it is asked again (rebinding): the connection goes to the address that was judged', async () => {
  const judged = await startTlsServer(good, keys)
  const rebound = await startTlsServer(good, keys, { address: '127.0.0.2', port: judged.port })
  const answers = [['127.0.0.1'], ['127.0.0.2']]
  let lookups = 0
  const http = client({ port: judged.port, resolve: async () => answers[lookups++] ?? [] })
  expect((await http.get(`https://${NAME}:${judged.port}/`, how)).ok).toBe(true)
  expect([lookups, judged.connections(), rebound.connections()]).toEqual([1, 1, 0])
})

test('one forbidden address among good ones: refused before a handshake, also with a good certificate', async () => {
  const server = await startTlsServer(good, keys)
  const http = client({ port: server.port, resolve: async () => ['127.0.0.1', '169.254.169.254'] })
  expect(await http.get(`https://${NAME}:${server.port}/`, how)).toMatchObject({
    failure: { reason: 'address_refused' },
  })
  expect(server.connections()).toBe(0)
})

const HOSTILE: Readonly<Record<string, readonly [script: Script, reason: string]>> = {
  'an error': [(r) => r.writeHead(500, CANARY, { 'x-canary': CANARY }).end(CANARY), 'status'],
  'a redirect': [(r) => r.writeHead(302, CANARY, { location: `https://${CANARY}.example/` }).end(CANARY), 'redirect'],
  'a page': [(r) => r.writeHead(200, { 'content-type': `text/${CANARY}` }).end(CANARY), 'content_type'],
  'something packed': [
    (r) => r.writeHead(200, { 'content-type': 'application/json', 'content-encoding': CANARY }).end(CANARY),
    'content_encoding',
  ],
  'too much': [
    (r) => r.writeHead(200, { 'content-type': 'application/json' }).end(CANARY.repeat(100_000)),
    'too_large',
  ],
  'no HTTP': [(r) => r.socket?.end(CANARY), 'interrupted'],
  'half of it': [
    (r) => {
      r.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write(CANARY)
      setTimeout(() => r.destroy(), 20)
    },
    'interrupted',
  ],
}

test.each(Object.keys(HOSTILE))('of a foreign answer that is %s nothing is kept but status and size', async (name) => {
  const [script, reason] = HOSTILE[name]!
  const server = await startTlsServer(good, script)
  const result = await client(server).get(`https://${NAME}:${server.port}/`, how)
  expect(result).toEqual({
    ok: false,
    failure: { reason, status: expect.toBeOneOf([expect.any(Number), null]), bytes: expect.any(Number) },
  })
  expect(JSON.stringify(result)).not.toContain('canary')
})

test('of a certificate that is refused nothing is kept either', async () => {
  const server = await startTlsServer(selfSigned({ subject: CANARY, dnsNames: [`${CANARY}.example`] }), keys)
  const result = await client(server).get(`https://${NAME}:${server.port}/`, how)
  expect(result).toMatchObject({ ok: false })
  expect(JSON.stringify(result)).not.toContain('canary')
})

const authorityFile = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'mintmark-ca-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'ca.pem')
  writeFileSync(file, authority.cert)
  return file
}

const FETCH = 'test/support/fetch-guarded.ts'
const fetchAlone = async (
  url: string,
  port: number,
  env: Record<string, string> = {},
  flags: readonly string[] = [],
) => {
  const args = [...flags, FETCH, url, String(port)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } })
  return JSON.parse(stdout) as { readonly ok: boolean; readonly failure?: { readonly reason: string } }
}

test('without an option of ours the authorities are those of Node, and what NODE_EXTRA_CA_CERTS adds', async () => {
  const server = await startTlsServer(good, keys)
  const url = `https://${NAME}:${server.port}/`
  expect(await fetchAlone(url, server.port)).toMatchObject({ ok: false, failure: { reason: 'connect_failed' } })
  expect(await fetchAlone(url, server.port, { NODE_EXTRA_CA_CERTS: authorityFile() })).toMatchObject({ ok: true })
})

test('no environment and no flag of Node weakens it', async () => {
  const unknown = await startTlsServer(selfSigned({ subject: NAME, dnsNames: [NAME] }), keys)
  const old = await startTlsServer(good, keys, OLD)
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_EXTRA_CA_CERTS: authorityFile() }
  const flags = ['--tls-min-v1.0', '--tls-cipher-list=DEFAULT@SECLEVEL=0']
  for (const { port } of [unknown, old]) {
    const answer = await fetchAlone(`https://${NAME}:${port}/`, port, env, flags)
    expect(answer).toMatchObject({ ok: false, failure: { reason: 'connect_failed' } })
  }
  expect([unknown.asked, old.asked]).toEqual([[], []])
})
