import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  loadMasterKey,
  MasterKeyRefused,
  masterKeyPath,
  parseMasterKey,
} from '../../../lib/adapters/keys/master-key.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'mintmark-key-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const problemOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof MasterKeyRefused) return error.problem
    throw error
  }
  return 'none'
}
const load = (given?: string, mayCreate = true) => loadMasterKey({ given, dataDir, mayCreate })

test('a first start makes a key only its owner can read; later starts find the same', () => {
  const made = load()
  expect(made).toHaveLength(32)
  expect(statSync(masterKeyPath(dataDir)).mode & 0o777).toBe(0o600)
  expect(load()).toEqual(made)
  expect(readdirSync(dataDir)).toEqual(['master.key'])
})

test('the directory is made as well, closed to others', () => {
  dataDir = join(dataDir, 'new')
  load()
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
})

test('a key from the operator is used and leaves no file', () => {
  const key = randomBytes(32)
  for (const text of [
    key.toString('hex'),
    key.toString('hex').toUpperCase(),
    key.toString('base64'),
    key.toString('base64url'),
    ` ${key.toString('base64')}\n`,
  ])
    expect(load(text)).toEqual(key)
  expect(existsSync(masterKeyPath(dataDir))).toBe(false)
})

test.each([
  ['nothing: set but empty is not unset', ''],
  ['31 bytes', randomBytes(31).toString('base64')],
  ['33 bytes', randomBytes(33).toString('hex')],
  ['a passphrase', 'correct horse battery staple correct horse b'],
  ['trailing bits a decoder would drop', `${'A'.repeat(42)}B`],
])('a malformed key is refused, not repaired: %s', (_, text) => {
  expect(parseMasterKey(text)).toBeNull()
  expect(problemOf(() => load(text))).toBe('malformed')
  expect(readdirSync(dataDir)).toEqual([])
})

test.each([0o640, 0o604, 0o660, 0o602])('a file of mode %o is refused: others may read or replace the key', (mode) => {
  load()
  chmodSync(masterKeyPath(dataDir), mode)
  expect(problemOf(() => load())).toBe('readable_by_others')
})

test('a link or a directory in its place is refused', () => {
  const elsewhere = join(dataDir, 'elsewhere')
  writeFileSync(elsewhere, randomBytes(32).toString('base64'), { mode: 0o600 })
  symlinkSync(elsewhere, masterKeyPath(dataDir))
  expect(problemOf(() => load())).toBe('not_a_file')
  rmSync(masterKeyPath(dataDir))
  mkdirSync(masterKeyPath(dataDir), { mode: 0o700 })
  expect(problemOf(() => load())).toBe('not_a_file')
})

test('a broken file is refused and never replaced by a new key', () => {
  writeFileSync(masterKeyPath(dataDir), 'half a k', { mode: 0o600 })
  expect(problemOf(() => load())).toBe('malformed')
  expect(statSync(masterKeyPath(dataDir)).size).toBe(8)
})

test('where sealed keys exist a lost master key is an error, not a new key', () => {
  expect(problemOf(() => load(undefined, false))).toBe('missing')
  expect(readdirSync(dataDir)).toEqual([])
})

test('no message contains the key', () => {
  const secret = 'hunter2hunter2hunter2'
  expect(() => load(secret)).toThrow(expect.not.objectContaining({ message: expect.stringContaining(secret) }))
})
