// Secrets as files (design §5 "Files"): what resolves, and what a document could try to read with one.

import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSecretFiles } from '../../../lib/adapters/files/secret-files.ts'

let root: string
let secretsDir: string
let dataDir: string
const put = (path: string, text: string | Buffer) => writeFileSync(join(root, path), text)
const secrets = (data = dataDir) => createSecretFiles({ secretsDir, dataDir: data })
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mintmark-secrets-'))
  secretsDir = join(root, 'secrets')
  dataDir = join(root, 'data')
  for (const dir of [secretsDir, dataDir, join(secretsDir, 'acme'), join(secretsDir, '..data')]) mkdirSync(dir)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

test('is compared whole, without the line break an editor leaves', async () => {
  put('secrets/acme/push', 'Bearer x\n')
  expect(await secrets().matches('acme/push', 'Bearer x')).toBe(true)
  for (const wrong of ['', 'Bearer', 'Bearer x\n', 'Bearer xy'])
    expect(await secrets().matches('acme/push', wrong)).toBe(false)
})

test('a secret that was rotated counts at once', async () => {
  const files = secrets()
  put('secrets/acme/push', 'old')
  expect(await files.matches('acme/push', 'old')).toBe(true)
  put('secrets/acme/push', 'new')
  expect([await files.matches('acme/push', 'old'), await files.matches('acme/push', 'new')]).toEqual([false, true])
})

test('an empty file is no secret: nothing matches it, and no signature under it counts', async () => {
  put('secrets/acme/push', '\n')
  const body = Buffer.from('{}')
  expect(await secrets().matches('acme/push', '')).toBe(false)
  expect(await secrets().verifyHmac('acme/push', body, createHmac('sha256', '').update(body).digest('hex'))).toBe(false)
})

test('a link inside is followed, as Kubernetes mounts secrets', async () => {
  put('secrets/..data/hook', 'k')
  symlinkSync(join(secretsDir, '..data', 'hook'), join(secretsDir, 'acme', 'hook'))
  expect(await secrets().matches('acme/hook', 'k')).toBe(true)
})

test.each<[string, () => string | undefined]>([
  ['a file that is not there', () => undefined],
  [
    'a link that leads out',
    () => {
      put('outside', 'k')
      symlinkSync(join(root, 'outside'), join(secretsDir, 'acme', 'hook'))
      return undefined
    },
  ],
  [
    'a file below --data, wherever --secrets is',
    () => {
      put('secrets/acme/hook', 'k')
      return secretsDir
    },
  ],
  [
    'a directory',
    () => {
      mkdirSync(join(secretsDir, 'acme', 'hook'))
      return undefined
    },
  ],
  [
    'a file over 4 KiB',
    () => {
      put('secrets/acme/hook', 'k'.repeat(4097))
      return undefined
    },
  ],
  [
    'a pipe, which must not be waited for',
    () => {
      spawnSync('mkfifo', [join(secretsDir, 'acme', 'hook')])
      return undefined
    },
  ],
])('is unavailable, never a no that could be a yes: %s', async (_, prepare) => {
  const data = prepare()
  await expect(secrets(data).matches('acme/hook', 'k')).rejects.toMatchObject({ kind: 'secret_unavailable' })
})
