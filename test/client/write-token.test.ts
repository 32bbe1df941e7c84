// Files that hold a token: mode, atomicity, links, and nothing left behind when it fails.
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { whyNotWritable, writeToken } from '../../lib/client/write-token.ts'

const directory = () => mkdtempSync(join(tmpdir(), 'mintmark-write-'))

test('mode 0600 whatever the umask and the old file say', async () => {
  const file = join(directory(), 'token')
  writeFileSync(file, 'old', { mode: 0o666 })
  await writeToken(file, 'new')
  expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['new', 0o600])
})

test('a link is replaced, not followed: what it points to is not written', async () => {
  const own = directory()
  const [target, link] = [join(own, 'target'), join(own, 'link')]
  writeFileSync(target, 'untouched')
  symlinkSync(target, link)
  await writeToken(link, 'token')
  expect([readFileSync(target, 'utf8'), lstatSync(link).isSymbolicLink()]).toEqual(['untouched', false])
})

test('a failure leaves neither half a file nor a temporary one', async () => {
  const own = directory()
  mkdirSync(join(own, 'taken'))
  writeFileSync(join(own, 'taken', 'x'), '')
  await expect(writeToken(join(own, 'taken'), 'token')).rejects.toThrow()
  expect(readdirSync(own)).toEqual(['taken'])
  expect(await whyNotWritable(join(own, 'taken'))).toBe('is a directory')
})

test('readers see the old token or the new one, never a part', async () => {
  const file = join(directory(), 'token')
  const [first, second] = ['a'.repeat(8_000), 'b'.repeat(8_000)]
  await writeToken(file, first)
  const writing = (async () => {
    for (let i = 0; i < 10; i += 1) await writeToken(file, i % 2 === 0 ? second : first)
  })()
  const read = new Set<string>()
  for (let i = 0; i < 50; i += 1) {
    read.add(readFileSync(file, 'utf8'))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await writing
  expect([...read].every((text) => text === first || text === second)).toBe(true)
})
