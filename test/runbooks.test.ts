// Runbooks are read at night: every command in one exists with its flags, every link leads somewhere, and every alert has one.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import type { Command } from '../bin/command.ts'
import { alarmResources } from '../infra/alarms.ts'
import { ALERTS } from '../infra/observability/alerts.ts'
import { prometheusRules, RUNBOOKS } from '../infra/observability/rules.ts'
import { ALARMS } from '../lib/domain/alarm.ts'
import { REFUSALS } from '../lib/domain/refusal.ts'
import { captureIo } from './support/io.ts'

const FOLDER = 'docs/runbooks'
const PAGES = [...readdirSync(FOLDER).map((file) => `${FOLDER}/${file}`), 'docs/observability.md']
const read = (page: string): string => readFileSync(page, 'utf8')

/** Lines of its shell blocks that call mintmark, as words. */
const commandsOf = (page: string): string[][] =>
  [...read(page).matchAll(/^ *```sh\n([\s\S]*?)```/gm)]
    .flatMap((block) => block[1]!.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line.startsWith('mintmark '))
    .map((line) => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', '')))

/** Asked for help with all its options: they are parsed first, strictly, and nothing is done. */
const parses = async ([, name, ...words]: readonly string[]): Promise<string> => {
  const { run } = (await import(`../bin/commands/${name}.ts`)) as Command
  const io = captureIo()
  const end = words.includes('--') ? words.indexOf('--') : words.length
  await expect(run([...words.slice(0, end), '--help', ...words.slice(end)], io)).resolves.toBe(0)
  return io.out()
}

test.each(PAGES)('every command of %s exists, with these flags and this subcommand', async (page) => {
  const commands = commandsOf(page)
  for (const command of commands) {
    const help = await parses(command).catch((error: Error) => {
      throw new Error(`${command.join(' ')}: ${error.message}`)
    })
    const [, name, subcommand = ''] = command
    if (name === 'audit' || name === 'keys')
      expect(help).toMatch(new RegExp(`^(?:Usage:)? *mintmark ${name} ${subcommand}\\b`, 'm'))
  }
})

test('a flag or command that is not there fails, or this test would pass on anything', async () => {
  await expect(parses(['mintmark', 'revoke', '--tenant', 'acme', '--everything'])).rejects.toThrow()
  await expect(parses(['mintmark', 'conjure'])).rejects.toThrow()
  expect(PAGES.flatMap(commandsOf).length).toBeGreaterThan(50)
})

test.each(PAGES)('a link in %s leads to a file', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!)
  for (const link of links.filter((each) => !each.startsWith('http')))
    expect(existsSync(normalize(join(page, '..', link))), link).toBe(true)
})

test('codes that runbooks search for are reasons or codes of events', () => {
  const events = ['replay', 'forgery', 'config_applied']
  for (const command of PAGES.flatMap(commandsOf)) {
    const at = command.indexOf('--code')
    if (at >= 0) expect([...Object.keys(REFUSALS), ...events]).toContain(command[at + 1])
  }
})

test('every alert has its runbook, and says where', () => {
  for (const { name, runbook } of ALERTS) expect(existsSync(`${FOLDER}/${runbook}.md`), name).toBe(true)
  const [, alerts] = prometheusRules().groups
  for (const rule of alerts?.rules ?? [])
    expect('annotations' in rule && rule.annotations.runbook_url.startsWith(`${RUNBOOKS}/`)).toBe(true)
})

test('every alarm of CloudWatch that names a runbook names one there is', () => {
  const said = Object.values(alarmResources({ stage: 'prod' })).flatMap((resource) => {
    const { Properties } = resource as { readonly Properties: { readonly AlarmDescription?: string } }
    return /docs\/runbooks\/\S+\.md/.exec(Properties.AlarmDescription ?? '')?.[0] ?? []
  })
  expect(said.length).toBeGreaterThan(10)
  for (const page of said) expect(existsSync(page), page).toBe(true)
})

test('the runbook of alarms knows every kind', () => {
  const page = read(`${FOLDER}/alarm.md`)
  for (const kind of Object.keys(ALARMS)) expect(page).toContain(`\`${kind}\``)
})

test('no runbook is left that nothing leads to', () => {
  const linked = PAGES.map(read).join('\n')
  for (const page of readdirSync(FOLDER)) expect(linked, page).toContain(`${page})`)
})
