import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommandLine } from '../../bin/command-line.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { temporaryDirectory } from '../support/broker.ts'
import { captureIo } from '../support/io.ts'

const mintmark = async (...argv: string[]) => {
  const io = captureIo()
  const code = await runCommandLine(argv, io)
  return { code, out: io.out(), err: io.err() }
}

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  expect(await mintmark('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
})

test('an unknown option is named, without advice about arguments that no command takes', async () => {
  const { code, err } = await mintmark('events', '--nonsense')
  expect([code, err]).toEqual([2, 'mintmark events: Unknown option \'--nonsense\'\nTry "mintmark events --help".\n'])
})

test('a directory that is not there is the same wrong usage to apply, lint and serve, in words', async () => {
  const none = join(temporaryDirectory(), 'none')
  const data = join(temporaryDirectory(), 'data')
  for (const argv of [
    ['lint', none],
    ['apply', none, '--data', data],
    ['serve', '--tenants', none, '--data', data],
  ]) {
    const { code, err } = await mintmark(...argv)
    const name = argv[0]
    expect([code, err]).toEqual([
      2,
      `mintmark ${name}: cannot read ${none}: there is no such file or directory\nTry "mintmark ${name} --help".\n`,
    ])
  }
  expect(existsSync(data)).toBe(false)
})

test.each([
  ['recover', '--reason', 'x'],
  ['recover', '--quarantine'],
  ['decision', '0192d3a4'],
  ['keys', 'list', '--tenant', 'acme'],
  ['apply', '--remove', 'acme'],
])('%s %s of a mistyped --data answers that there is no database, and makes none', async (...argv) => {
  const data = join(temporaryDirectory(), 'typo')
  const { code, out, err } = await mintmark(...argv, '--data', data)
  expect([code, out, err]).toEqual([3, '', `mintmark ${argv[0]}: there is no database in ${data}\n`])
  expect(existsSync(data)).toBe(false)
})

test.each([
  ['mintmark.db', ['sinks', '--tenant', 'acme']],
  ['mintmark.db', ['explain', '--tenant', 'acme', '--assertion', 'events/assertions/github.json']],
  ['mintmark.db', ['apply', 'tenants']],
  ['audit.db', ['audit', 'tail', '--tenant', 'acme']],
  ['audit.db', ['recover', '--reason', 'a test']],
])('a %s that is no database is an outage in words and one document: %j', async (file, argv) => {
  const data = temporaryDirectory()
  if (file === 'audit.db') openDatabase({ dataDir: data, dev: false }).close()
  writeFileSync(join(data, file), 'garbage'.repeat(1_000))
  const { code, out, err } = await mintmark(...argv, '--data', data, '--json')
  expect([code, JSON.parse(out)]).toEqual([3, { error: 'unavailable', error_description: expect.any(String) }])
  expect(err).toMatch(/^mintmark \S+: .*database.*\n$/)
})

test('a file in the place of a directory is an outage in words, wherever it is met', async () => {
  const folder = temporaryDirectory()
  const file = join(folder, 'file')
  writeFileSync(file, '')
  for (const argv of [
    ['audit', 'verify', '--tenant', 'acme', '--from', folder, '--anchor', folder],
    ['recover', '--reason', 'x', '--data', join(file, 'data')],
    ['apply', 'tenants', '--data', join(file, 'data')],
  ]) {
    const { code, err } = await mintmark(...argv)
    expect([argv, code]).toEqual([argv, 3])
    expect(err).toMatch(/^mintmark \w+: [^\n]+\n$/)
  }
})

test.each(['https://[', 'https://a:99999', 'ftp://a', 'http://a.example', 'https://', 'https://a?b', ''])(
  'a base URL %j is the same wrong usage to every command that is told one',
  async (url) => {
    const data = join(temporaryDirectory(), 'data')
    for (const argv of [
      ['lint', 'tenants'],
      ['test', 'tenants'],
      ['explain', '--tenant', 'acme', '--assertion', 'events/assertions/github.json'],
      ['apply', 'tenants', '--data', data],
      ['serve', '--tenants', 'tenants', '--data', data],
    ]) {
      const { code, err } = await mintmark(...argv, '--base-url', url)
      expect([argv, code]).toEqual([argv, 2])
      expect(err).toContain('--base-url must be an https URL')
    }
    expect(existsSync(data)).toBe(false)
  },
)

test.each(['', '0x50', '1e3', '-1', '65536'])('a port %j is wrong usage', async (port) => {
  const { code, err } = await mintmark(
    'serve',
    '--tenants',
    'tenants',
    '--data',
    temporaryDirectory(),
    `--port=${port}`,
  )
  expect([code, err]).toEqual([2, expect.stringContaining('--port is a number from 0 to 65535')])
})

test('a document that is a link to nowhere is named, and not its directory', async () => {
  const folder = temporaryDirectory()
  symlinkSync(join(folder, 'nowhere'), join(folder, 'acme.yaml'))
  const { code, err } = await mintmark('lint', folder)
  expect([code, err]).toEqual([
    2,
    expect.stringContaining(`cannot read ${join(folder, 'acme.yaml')}: there is no such file`),
  ])
})

test('serve says nothing before the error that stops it: warnings would hide it', async () => {
  const tenants = temporaryDirectory()
  const data = join(temporaryDirectory(), 'data')
  writeFileSync(join(tenants, 'acme.yaml'), 'tenant: acme\nfoo: 1\n')
  const anchor = join(temporaryDirectory(), 'anchor')
  writeFileSync(anchor, '')
  const { code, err } = await mintmark('serve', '--tenants', tenants, '--data', data, '--port', '0', '--anchor', anchor)
  expect(code).toBe(1)
  expect(err).not.toMatch(/anchor|base-url/)
  expect(err).toContain('unknown key "foo"')
})

test('lint names the base URL it assumes where no document and no option says one', async () => {
  const tenants = temporaryDirectory()
  writeFileSync(join(tenants, 'acme.yaml'), 'tenant: acme\ntrust_domain: acme.example\nissuers: {}\ngrants: {}\n')
  expect((await mintmark('lint', tenants)).err).toContain(
    'https://sts.example.com is assumed; --base-url names another',
  )
  expect((await mintmark('lint', tenants, '--base-url', 'https://b.example')).err).toBe('')
})
