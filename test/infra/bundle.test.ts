// What is shipped: a zip that any reader opens, and bundles that hold what a function uses, and of the SDK no more.
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { crc32, inflateRawSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { FUNCTIONS } from '../../infra/names.ts'
import { bundle } from '../../scripts/bundle.ts'
import { zipOf } from '../../scripts/zip.ts'
import { functionEnvironment } from '../support/function-environment.ts'

const root = join(import.meta.dirname, '../..')
// Not dist/, where packaged.test.ts packages.
const out = mkdtempSync(join(tmpdir(), 'mintmark-bundle-'))
afterAll(() => rmSync(out, { recursive: true }))

type Unpacked = { readonly content: Buffer; readonly crc: number; readonly mode: number }

/** Read the way unpackers do, from the end: the central directory, then what each of its entries points at. */
const unzip = (zip: Buffer): Readonly<Record<string, Unpacked>> => {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  const files: Record<string, Unpacked> = {}
  let central = zip.readUInt32LE(end + 16)
  for (let count = zip.readUInt16LE(end + 10); count > 0; count -= 1) {
    expect(zip.readUInt32LE(central)).toBe(0x02014b50)
    const nameLength = zip.readUInt16LE(central + 28)
    const local = zip.readUInt32LE(central + 42)
    expect(zip.readUInt32LE(local)).toBe(0x04034b50)
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    files[zip.toString('utf8', central + 46, central + 46 + nameLength)] = {
      content: inflateRawSync(zip.subarray(start, start + zip.readUInt32LE(central + 20))),
      crc: zip.readUInt32LE(central + 16),
      mode: zip.readUInt32LE(central + 38) >>> 16,
    }
    central += 46 + nameLength
  }
  expect(central).toBe(end)
  return files
}

test('a zip holds its files, whole, readable for everybody, and has no clock in it', () => {
  const code = Buffer.from('export const handler = () => 1\n'.repeat(100))
  const roots = Buffer.from('certificates')
  const zipped = () => zipOf({ name: 'dist/x/index.cjs', content: code }, { name: 'roots.pem', content: roots })
  expect(unzip(zipped())).toEqual({
    'dist/x/index.cjs': { content: code, crc: crc32(code), mode: 0o100644 },
    'roots.pem': { content: roots, crc: crc32(roots), mode: 0o100644 },
  })
  expect(zipped()).toEqual(zipped())
})

test('the roots that are shipped are all of Amazon Trust Services that Node itself knows, and nobody else', () => {
  const nameOf = (pem: string): string => new X509Certificate(pem).subject
  const amazons = rootCertificates.filter((pem) => /O=Amazon|CN=Starfield Services Root/.test(nameOf(pem)))
  const shipped = readFileSync(join(root, 'infra/amazon-roots.pem'), 'utf8').match(
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
  )
  expect(shipped).toHaveLength(5)
  expect(shipped!.toSorted()).toEqual(amazons.map((pem) => pem.trim()).toSorted())
})

test('a function that calls AWS alone believes who is in the file it is told of, and nobody else', () => {
  const [key, certificate] = [join(out, 'key.pem'), join(out, 'certificate.pem')]
  const make = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'.split(' ')
  const made = [...make, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate]
  expect(spawnSync('openssl', made).status).toBe(0)
  const call = `
    const { readFileSync } = require('node:fs')
    const [key, cert] = ${JSON.stringify([key, certificate])}.map((file) => readFileSync(file))
    const server = require('node:https').createServer({ key, cert }, (_, response) => response.end())
    const say = (text) => { console.log(text); process.exit() }
    server.listen(0, '127.0.0.1', () => {
      const to = { host: '127.0.0.1', servername: 'localhost', port: server.address().port }
      require('node:https').get(to, () => say('believed')).on('error', ({ code }) => say(code))
    })`
  const callBelieving = (file: string) => {
    const env = { ...functionEnvironment('mint'), SSL_CERT_FILE: file }
    return spawnSync(process.execPath, ['--input-type=commonjs', '-e', call], { encoding: 'utf8', env }).stdout.trim()
  }
  expect(callBelieving(certificate)).toBe('believed')
  expect(callBelieving(join(root, 'infra/amazon-roots.pem'))).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
})

test('attest has no client of KMS or STS in it, and no way to make a session (P9)', async () => {
  await bundle(root, 'attest', out)
  const text = readFileSync(join(out, 'attest', 'index.cjs'), 'utf8')
  for (const name of ['TrentService', 'GenerateDataKey', 'AssumeRole']) expect(text).not.toContain(name)
  await bundle(root, 'mint', out)
  expect(readFileSync(join(out, 'mint', 'index.cjs'), 'utf8')).toContain('TrentService')
})

test.each(FUNCTIONS)(
  '%s is one file that loads, with the environment it is deployed with and no other',
  async (name) => {
    await bundle(root, name, out)
    const file = join(out, name, 'index.cjs')
    const environment = functionEnvironment(name)
    const files = unzip(readFileSync(join(out, `${name}.zip`)))
    expect(files[`dist/${name}/index.cjs`]?.content).toEqual(readFileSync(file))
    // What it is told of is there, and nothing else is shipped.
    const told = environment['SSL_CERT_FILE']?.replace('/var/task/', '')
    expect(Object.keys(files)).toEqual([`dist/${name}/index.cjs`, ...(told === undefined ? [] : [told])])
    const load = `try { console.log(typeof require(${JSON.stringify(file)}).handler) } catch (e) { console.log(e.message) }`
    const loadIn = (env: Record<string, string>) =>
      spawnSync(process.execPath, ['--input-type=commonjs', '-e', load], { encoding: 'utf8', env })
    expect(loadIn(environment)).toMatchObject({ stdout: 'function\n', stderr: '', status: 0 })
    expect(loadIn({}).stdout).toBe('the environment has no usable AWS_REGION\n')
  },
)

/** What a bundled client makes of an answer of DynamoDB. */
const askBundled = async (status: number, answer: unknown) => {
  let asked = 0
  const server = createServer((_request, response) => {
    asked += 1
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await bundle(root, 'asks', out, join(root, 'test/support/bundled-client.ts'))
  const { ask } = createRequire(import.meta.url)(join(out, 'asks', 'index.cjs'))
  const outcome = await ask(`http://127.0.0.1:${port}`)
  server.close()
  return { asked, outcome }
}

test('an error that the adapters name is of its class, with its members, in a bundle', async () => {
  const row = { pk: { S: 'a' } }
  const answer = { __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', Item: row }
  expect(await askBundled(400, answer)).toEqual({
    asked: 1,
    outcome: { name: 'ConditionalCheckFailedException', isConditional: true, item: row },
  })
})

test('an error that no adapter names keeps its name in a bundle, and is tried again where it should be', async () => {
  const answer = { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException', message: 'slow' }
  expect(await askBundled(400, answer)).toEqual({
    asked: 2,
    outcome: { name: 'ProvisionedThroughputExceededException', isConditional: false },
  })
  const text = readFileSync(join(out, 'asks', 'index.cjs'), 'utf8')
  expect(text).not.toContain('ReplicatedWriteConflictException')
  expect(text).toContain('ConditionalCheckFailedException')
})

test('what no function does of the SDK is in no bundle: event streams, files of configuration, other operations', async () => {
  await bundle(root, 'attest', out)
  const text = readFileSync(join(out, 'attest', 'index.cjs'), 'utf8')
  for (const name of ['fs/promises', 'vnd.amazon.eventstream', 'CreateFunctionUrlConfig', 'ResourceConflictException'])
    expect(text).not.toContain(name)
})
