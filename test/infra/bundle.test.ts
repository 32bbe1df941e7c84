// What is shipped: a zip that any reader opens, and bundles that hold what a function uses, and of the SDK no more.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

/** Read the way unpackers do, from the end: central directory, then the entry it points at. */
const unzip = (
  zip: Buffer,
): { readonly name: string; readonly content: Buffer; readonly crc: number; readonly mode: number } => {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  const central = zip.readUInt32LE(end + 16)
  expect(zip.readUInt32LE(central)).toBe(0x02014b50)
  const nameLength = zip.readUInt16LE(central + 28)
  const local = zip.readUInt32LE(central + 42)
  expect(zip.readUInt32LE(local)).toBe(0x04034b50)
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
  return {
    name: zip.toString('utf8', central + 46, central + 46 + nameLength),
    content: inflateRawSync(zip.subarray(start, start + zip.readUInt32LE(central + 20))),
    crc: zip.readUInt32LE(central + 16),
    mode: zip.readUInt32LE(central + 38) >>> 16,
  }
}

test('a zip holds the file, whole, readable for everybody, and has no clock in it', () => {
  const content = Buffer.from('export const handler = () => 1\n'.repeat(100))
  const zip = zipOf('dist/x/index.cjs', content)
  expect(unzip(zip)).toEqual({ name: 'dist/x/index.cjs', content, crc: crc32(content), mode: 0o100644 })
  expect(zipOf('dist/x/index.cjs', content)).toEqual(zip)
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
    expect(unzip(readFileSync(join(out, `${name}.zip`)))).toMatchObject({
      name: `dist/${name}/index.cjs`,
      content: readFileSync(file),
    })
    const load = `try { console.log(typeof require(${JSON.stringify(file)}).handler) } catch (e) { console.log(e.message) }`
    const loadIn = (env: Record<string, string>) =>
      spawnSync(process.execPath, ['--input-type=commonjs', '-e', load], { encoding: 'utf8', env })
    expect(loadIn(functionEnvironment(name))).toMatchObject({ stdout: 'function\n', stderr: '', status: 0 })
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
