import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run as lint } from '../../bin/commands/lint.ts'
import { run as policyTest } from '../../bin/commands/test.ts'
import { captureIo } from '../support/io.ts'
import { VALID } from '../support/tenant-documents.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mintmark-lint-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))
const write = (name: string, text: string) => writeFileSync(join(directory, name), text)

test('the example tenants have neither errors nor warnings', async () => {
  const io = captureIo()
  expect(await lint(['tenants', '--strict'], io)).toBe(0)
  expect(io.out()).toBe('2 documents, no errors, no warnings\n')
})

test('an error is file, line, column and words; exit 1; policy tests are not read as documents', async () => {
  write('acme.yaml', VALID.replace('    org_id: "1234567"\n', ''))
  write('acme.test.yaml', 'tests: nonsense')
  const io = captureIo()
  expect(await lint([directory], io)).toBe(1)
  expect(io.out()).toMatch(
    /^error {4}\S+acme\.yaml:4:3: https:\/\/token\.actions\.githubusercontent\.com signs for every customer/,
  )
  expect(io.out()).toMatch(/1 document, 1 error, no warnings\n$/)
})

test('warnings alone are exit 0, and 1 with --strict; --json is one document', async () => {
  write('acme.yaml', VALID)
  const io = captureIo()
  expect(await lint([directory, '--json'], io)).toBe(0)
  const report = JSON.parse(io.out())
  expect(report).toMatchObject({ ok: true, tenants: ['acme'], errors: [] })
  expect(report.warnings[0]).toMatchObject({
    rule: expect.any(String),
    line: expect.any(Number),
    column: expect.any(Number),
    file: join(directory, 'acme.yaml'),
  })
  expect(await lint([directory, '--strict'], captureIo())).toBe(1)
})

test('the base URL is taken from the audiences the documents write out', async () => {
  write(
    'acme.yaml',
    VALID.replace('org_id: "1234567"', 'org_id: "1234567"\n    audience: https://broker.acme.example/t/acme').replace(
      'https://sts.example.com',
      'https://broker.acme.example',
    ),
  )
  expect(await lint([directory], captureIo())).toBe(0)
  expect(await lint([directory, '--base-url', 'https://sts.example.com'], captureIo())).toBe(1)
})

test('wrong usage throws what exit 2 is made of', async () => {
  await expect(lint([], captureIo())).rejects.toThrow(/one directory/)
  await expect(lint([directory], captureIo())).rejects.toThrow(/no tenant document/)
  await expect(lint([join(directory, 'none')], captureIo())).rejects.toThrow(/cannot read/)
  const help = captureIo()
  expect(await lint(['--help'], help)).toBe(0)
  expect(help.out()).toMatch(/^Usage: mintmark lint DIR/)
})

test('policy tests: those of the example tenants hold', async () => {
  const io = captureIo()
  expect(await policyTest(['tenants'], io)).toBe(0)
  expect(io.out()).toMatch(/\n\d+ passed, 0 failed\n$/)
})

test('policy tests: one that does not hold says what was expected, what came and which condition did it; exit 1', async () => {
  write('acme.yaml', VALID)
  write(
    'acme.test.yaml',
    `tests:
  - name: main deploys
    claims: { iss: https://token.actions.githubusercontent.com, repository_owner_id: "1234567", repository_id: "7654321", ref: refs/heads/dev, event_name: push }
    expect: { grant: deploy }
  - name: dev is denied
    claims: { iss: https://token.actions.githubusercontent.com, repository_owner_id: "1234567", repository_id: "7654321", ref: refs/heads/dev, event_name: push }
    expect: { deny: no_grant_matches }
`,
  )
  const io = captureIo()
  expect(await policyTest([directory], io)).toBe(1)
  expect(io.out()).toContain('✗ acme: main deploys')
  expect(io.out()).toContain('acme.test.yaml:2')
  expect(io.out()).toContain('expected grant deploy, was denied: no grant matches this workload')
  expect(io.out()).toContain('deploy: ref.full is "refs/heads/main"; actual "refs/heads/dev"')
  expect(io.out()).toContain('✓ acme: dev is denied')
  expect(io.out()).toMatch(/1 passed, 1 failed\n$/)
})

test('policy tests: a JWT-SVID without iss is of the trust domain of its sub, for an audience and a time that fit', async () => {
  write(
    'acme.yaml',
    `tenant: acme
trust_domain: acme.example
issuers:
  prod:
    provider: spiffe
    issuer: spiffe://prod.acme.example
    org_id: prod.acme.example
    jwks: { url: https://spire.acme.example/keys }
grants:
  pay:
    from: prod
    match: { project.id: spiffe://prod.acme.example/ns/pay/sa/api }
    identity: /ns/pay/sa/api
    issue: [{ type: access_token, audience: [https://pay.acme.example], scope: [pay] }]
`,
  )
  write(
    'acme.test.yaml',
    `tests:
  - name: the api pays
    claims: { sub: spiffe://prod.acme.example/ns/pay/sa/api, aud: elsewhere }
    expect: { grant: pay }
`,
  )
  const io = captureIo()
  expect(await policyTest([directory], io), io.out()).toBe(0)
})

test('policy tests are read strictly: an unknown key is an error at its line, not a test that passes', async () => {
  write('acme.yaml', VALID)
  write('acme.test.yaml', 'tests:\n  - name: x\n    expct: { deny: revoked }\n    claims: {}\n')
  const io = captureIo()
  expect(await policyTest([directory], io)).toBe(1)
  expect(io.out()).toMatch(/acme\.test\.yaml:3:5: unknown key "expct"/)
})
