// Tenant documents to stacks: what is refused, and what a moved or missing file does.
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tenantStacks } from '../../infra/tenants.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mintmark-tenants-'))
  cpSync(join(import.meta.dirname, 'tenants'), folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

const stacks = () => tenantStacks({ account: '111122223333', domain: 'sts.example.com', tenants: folder })
const rolesOf = (tenant: string) =>
  [...stacks().values()]
    .flatMap((resources) => Object.values(resources) as { Properties: Record<string, unknown> }[])
    .filter(({ Properties }) => Properties['Path'] === `/mintmark/t/${tenant}/`)

const write = (tenant: string, role: string, file = `${tenant}.yaml`) =>
  writeFileSync(
    join(folder, file),
    `tenant: ${tenant}
trust_domain: ${tenant}.example
issuers:
  github: { provider: github, org_id: "9" }
grants:
  deploy:
    from: github
    match: { project.id: "90", ref.full: refs/heads/main }
    identity: /ci/{project.id}
    issue: [{ type: aws-credentials, role: "${role}" }]
`,
  )

test('one file more is one tenant more', () => {
  const before = [...stacks().keys()]
  write('newco', 'arn:aws:iam::222233334444:role/mintmark/t/newco/deployer')
  expect([...stacks().keys()].filter((stack) => !before.includes(stack))).toEqual(['account-222233334444'])
})

test('a document moved to removed/ keeps its roles, closed and denied', () => {
  renameSync(join(folder, 'siloco.yaml'), join(folder, 'removed/siloco.yaml'))
  const [role] = rolesOf('siloco')
  expect(JSON.stringify(role?.Properties['AssumeRolePolicyDocument'])).not.toContain('"Allow"')
  expect(JSON.stringify(role?.Properties['ManagedPolicyArns'])).toContain('mintmark-deny-all')
})

test('a role outside of its tenant’s path is refused: mint may use no other', () => {
  write('newco', 'arn:aws:iam::222233334444:role/deployer')
  expect(stacks).toThrow('the path of the role must be /mintmark/t/newco/')
  write('newco', 'arn:aws:iam::222233334444:role/mintmark/t/siloco/deployer')
  expect(stacks).toThrow('the path of the role must be /mintmark/t/newco/')
})

test('an account belongs to one tenant', () => {
  write('newco', 'arn:aws:iam::444455556666:role/mintmark/t/newco/deployer')
  expect(stacks).toThrow('belongs to tenant elsewhere')
})

test('a tenant cannot be both there and removed', () => {
  write('goneco', 'arn:aws:iam::222233334444:role/mintmark/t/goneco/deployer')
  expect(stacks).toThrow('goneco is there twice')
})

test('a document that does not load packages nothing', () => {
  mkdirSync(join(folder, 'removed'), { recursive: true })
  writeFileSync(join(folder, 'bad.yaml'), 'tenant: Bad\n')
  expect(stacks).toThrow('bad.yaml:1')
})

test('tenants of this checkout have no role that cannot be packaged', () => {
  expect(() =>
    tenantStacks({
      account: '111122223333',
      domain: 'sts.example.com',
      tenants: join(import.meta.dirname, '../../tenants'),
    }),
  ).not.toThrow()
})
