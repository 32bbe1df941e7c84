// docs/jobs.md: the tenant document it shows for platforms with a fixed audience is one the broker takes, of presets that have one;
// the command it has jobs call needs nothing installed.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { PROVIDER_CATALOG } from '../lib/providers/catalog.ts'
import { lintTenant } from '../lib/wire/lint-tenant.ts'
import { loadTexts } from './support/tenant-documents.ts'

const JOBS = readFileSync(new URL('../docs/jobs.md', import.meta.url), 'utf8')
const FIXED = Object.values(PROVIDER_CATALOG).filter(({ audience }) => audience === 'fixed')

test('the example of docs/jobs.md loads, and nothing is said of it but that its audiences are fixed', () => {
  const example = /```yaml\n(issuers:[^`]+)```/.exec(JOBS)?.[1]
  const { problems, tenants } = loadTexts([`tenant: acme\ntrust_domain: acme.example\n${example}`])
  expect(problems).toEqual([])
  const warnings = tenants.flatMap((tenant) => lintTenant(tenant, PROVIDER_CATALOG))
  expect(warnings.map(({ rule, message }) => (rule === 'fixed_audience' ? rule : message))).toEqual([
    'fixed_audience',
    'fixed_audience',
    'fixed_audience',
  ])
})

test.each(FIXED)('docs/jobs.md and SECURITY.md say that the audience of $title is fixed', ({ title }) => {
  const name = title.replace(' Pipelines', '')
  expect(JOBS).toMatch(new RegExp(`^\\| ${name} \\|.*the audience is fixed`, 'm'))
  const security = readFileSync(new URL('../SECURITY.md', import.meta.url), 'utf8')
  expect(security).toMatch(new RegExp(`whose audience is fixed \\([^)]*${name}`))
})

test('what jobs call runs from a checkout in which nothing is installed', () => {
  const checkout = mkdtempSync(join(tmpdir(), 'mintmark-checkout-'))
  onTestFinished(() => rmSync(checkout, { recursive: true }))
  for (const part of ['bin', 'lib', 'package.json']) cpSync(part, join(checkout, part), { recursive: true })
  const job = (...argv: string[]) =>
    spawnSync(
      process.execPath,
      [join(checkout, 'bin/mintmark.ts'), ...argv, '--tenant-url', 'http://127.0.0.1:1/t/acme'],
      {
        cwd: checkout,
        encoding: 'utf8',
        env: {},
      },
    )
  // Nothing to present: all that the command loads was loaded.
  for (const argv of [['token', '--audience', 'https://deploy.acme.example'], ['aws-credentials']]) {
    const { status, stderr } = job(...argv, '--from', 'github')
    expect([argv[0], status, stderr]).toEqual([argv[0], 2, expect.not.stringContaining('ERR_MODULE_NOT_FOUND')])
  }
  expect(JOBS).toContain('node .mintmark/bin/mintmark.ts token ')
})
