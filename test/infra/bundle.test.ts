// What is shipped: a zip that any reader opens, and bundles without the import that costs every cold start 72 ms.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, inflateRawSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, expect, test } from 'vitest'
import { FUNCTIONS } from '../../infra/names.ts'
import { bundle, requireBuiltins } from '../../scripts/bundle.ts'
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
  const zip = zipOf('dist/x/index.mjs', content)
  expect(unzip(zip)).toEqual({ name: 'dist/x/index.mjs', content, crc: crc32(content), mode: 0o100644 })
  expect(zipOf('dist/x/index.mjs', content)).toEqual(zip)
})

test('attest has no client of KMS or STS in it, and no way to make a session (P9)', async () => {
  await bundle(root, 'attest', out)
  const text = readFileSync(join(out, 'attest', 'index.mjs'), 'utf8')
  for (const name of ['TrentService', 'GenerateDataKey', 'AssumeRole']) expect(text).not.toContain(name)
  await bundle(root, 'mint', out)
  expect(readFileSync(join(out, 'mint', 'index.mjs'), 'utf8')).toContain('TrentService')
})

test.each(FUNCTIONS)('%s is bundled without an ES import of node:http or node:process, and loads', async (name) => {
  await bundle(root, name, out)
  const file = join(out, name, 'index.mjs')
  const text = readFileSync(file, 'utf8')
  expect(unzip(readFileSync(join(out, `${name}.zip`)))).toMatchObject({
    name: `dist/${name}/index.mjs`,
    content: Buffer.from(text),
  })
  expect(text).not.toMatch(/(?:from|import)\s*["'](?:node:)?(?:https?|process)["']/)
  // In a process of its own, with the environment it is deployed with and no other.
  const load = `console.log(await import(${JSON.stringify(file)}).then((m) => typeof m.handler, (e) => e.message))`
  const loadIn = (env: Record<string, string>) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', load], { encoding: 'utf8', env })
  expect(loadIn(functionEnvironment(name))).toMatchObject({ stdout: 'function\n', stderr: '', status: 0 })
  expect(loadIn({}).stdout).toBe('the environment has no usable AWS_REGION\n')
})

test('node:http works when it is required instead of imported', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { STATUS_CODES } from 'node:http'\nexport const text = STATUS_CODES[404]`,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire("/");' },
    plugins: [requireBuiltins],
  })
  const source = outputFiles[0]!.text
  expect(source).not.toMatch(/from\s*["']node:http["']/)
  await expect(import(`data:text/javascript,${encodeURIComponent(source)}`)).resolves.toMatchObject({
    text: 'Not Found',
  })
})
