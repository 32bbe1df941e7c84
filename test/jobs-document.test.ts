// The tenant document that docs/jobs.md shows for platforms with a fixed audience is one the broker takes, of presets that have one.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
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
