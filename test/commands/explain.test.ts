import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run as runApply } from '../../bin/commands/apply.ts'
import { run } from '../../bin/commands/explain.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { DEPLOY_GRANT, githubTenant, TARGET } from '../support/tenants.ts'

const AT = '1795000100'
const GITHUB = 'events/assertions/github.json'
const explain = async (...argv: string[]) => {
  const io = captureIo()
  const code = await run(['--tenant', 'acme', ...argv], io)
  return { code, text: io.out() }
}
const explainJson = async (...argv: string[]) => {
  const { code, text } = await explain(...argv, '--json')
  return { code, report: JSON.parse(text) }
}

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mintmark-explain-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))
const file = (name: string, content: unknown): string => {
  writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content))
  return join(directory, name)
}

describe('claims of a file', () => {
  test('a request that would be served: exit 0, the grant, the identity and what was not checked', async () => {
    const { code, text } = await explain('--assertion', GITHUB, '--at', AT, '--target', 'https://deploy.acme.example')
    expect(code).toBe(0)
    expect(text).toContain('Allowed by deploy-prod: spiffe://acme.example/ci/7654321/production')
    expect(text).toContain('- signature  not checked')
    expect(text).toMatch(/✓ ref\.full +is "refs\/heads\/main" +actual "refs\/heads\/main"/)
    expect(text).toContain('Grant branch-read matches (report: recorded, never issued)')
  })

  test('every condition of every candidate grant is in the answer, those of other issuers are not', async () => {
    const { report } = await explainJson('--assertion', GITHUB, '--at', AT)
    expect(report.grants.map(({ grant }: { grant: string }) => grant)).toEqual([
      'deploy-prod',
      'publish',
      'branch-read',
    ])
    expect(report.conditions.filter(({ grant }: { grant: string }) => grant === 'deploy-prod')).toHaveLength(10)
    expect(report.verdict).toMatchObject({
      allow: true,
      grant: 'deploy-prod',
      audience: 'https://deploy.acme.example',
      scope: ['deploy:read', 'deploy:write'],
      ttlSeconds: 600,
    })
  })

  test('a request that would be refused: exit 1, the reason, the nearest grant and the condition that failed', async () => {
    const claims = { ...githubClaims('https://sts.example.com/t/acme'), environment: 'preview' }
    const { code, text } = await explain('--assertion', file('claims.json', claims))
    expect(code).toBe(1)
    expect(text).toMatch(/✗ environment\.name +is one of "staging", "production" +actual "preview"/)
    expect(text).toContain('(no_grant_matches)')
    expect(text).toContain('nearest: deploy-prod, 9 of 10 hold')
  })

  test('old evidence is told to be so, and the grants are judged all the same', async () => {
    const { code, text } = await explain('--assertion', GITHUB, '--at', '1795009999')
    expect(code).toBe(1)
    expect(text).toMatch(/✗ age +exp has passed/)
    expect(text).toContain('Grant deploy-prod matches')
    expect(text).toContain('(expired)')
  })

  test.each([
    [
      'another audience',
      { aud: 'https://github.com/acme' },
      /✗ audience +aud is "https:\/\/github\.com\/acme", expected https:\/\/sts\.example\.com\/t\/acme/,
    ],
    ['another customer', { repository_owner_id: '666' }, /✗ tenancy +org\.id is "666", expected 1234567/],
    ['no customer', { repository_owner_id: undefined }, /✗ tenancy +org\.id is missing/],
    ['a claim of another type', { repository_id: 7654321 }, /✗ claims .*"repository_id"/],
    [
      'an issuer nobody registered',
      { iss: 'https://evil.example' },
      /✗ issuer +"https:\/\/evil\.example" is not registered in tenant acme/,
    ],
  ])('%s', async (_name, change, expected) => {
    const { code, text } = await explain(
      '--assertion',
      file('claims.json', githubClaims('https://sts.example.com/t/acme', change)),
    )
    expect(code).toBe(1)
    expect(text).toMatch(expected)
  })

  test('a hostile claim cannot write to the terminal', async () => {
    const claims = githubClaims('https://sts.example.com/t/acme', {
      ref: 'refs/heads/\u001b[2Jx',
      iss: 'https://token.actions.githubusercontent.com',
    })
    const { text } = await explain('--assertion', file('claims.json', claims))
    expect(text).not.toContain('\u001b')
  })
})

describe('a JWT', () => {
  const key = issuerKey('ES256')
  const tenants = (jwk: unknown) => {
    file(
      'acme.yaml',
      `tenant: acme
trust_domain: acme.example
issuers:
  ci: { provider: generic, issuer: https://ci.acme.example, algorithms: [ES256], claims: { project.id: project }, jwks: { inline: ${JSON.stringify({ keys: [jwk] })} } }
grants:
  build: { from: ci, match: { project.id: p1 }, identity: /ci/p1, issue: [{ type: access_token, audience: [https://a.example], scope: [x] }] }
`,
    )
    return directory
  }
  const now = Math.floor(Date.now() / 1000)
  const token = signAssertion(key, {
    iss: 'https://ci.acme.example',
    aud: 'https://sts.example.com/t/acme',
    sub: 's',
    project: 'p1',
    iat: now,
    exp: now + 300,
  })

  test('its signature is verified where the keys are inline', async () => {
    const { code, report } = await explainJson(
      '--tenants',
      tenants(key.jwk),
      '--assertion',
      file('token.jwt', `${token}\n`),
    )
    expect(report.checks.at(-1)).toEqual({ check: 'signature', holds: true, says: 'verified with the inline keys' })
    expect(code).toBe(0)
  })

  test('a signature of another key is a refusal, though every grant matches', async () => {
    const other = { ...issuerKey('ES256').jwk, kid: key.kid }
    const { code, report } = await explainJson('--tenants', tenants(other), '--assertion', file('token.jwt', token))
    expect(report.verdict).toEqual({ allow: false, kind: 'signature_invalid' })
    expect(code).toBe(1)
  })

  test('the token itself is never printed', async () => {
    const { text } = await explain('--tenants', tenants(key.jwk), '--assertion', file('token.jwt', token))
    expect(text).not.toContain(token.slice(-40))
  })
})

test('wrong usage throws what exit 2 is made of', async () => {
  await expect(run([], captureIo())).rejects.toThrow(/--tenant is required/)
  await expect(explain('--assertion', join(directory, 'none'))).rejects.toThrow(/cannot read/)
  await expect(explain('--assertion', file('x', 'not json'))).rejects.toThrow(/neither a JWT nor/)
  await expect(run(['--tenant', 'nobody', '--assertion', GITHUB], captureIo())).rejects.toThrow(/no tenant "nobody"/)
  await expect(explain('--assertion', GITHUB, '--at', 'now')).rejects.toThrow(/seconds since 1970/)
})

describe('--data', () => {
  const dataDir = () => join(directory, 'data')
  const apply = async (tenantText: string) => {
    const tenants = mkdtempSync(join(directory, 'tenants-'))
    writeFileSync(join(tenants, 'acme.yaml'), tenantText)
    expect(await runApply([tenants, '--data', dataDir()], captureIo())).toBe(0)
  }
  const key = issuerKey('RS256')
  const asked = () => {
    const claims = githubClaims('https://sts.example.com/t/acme')
    return [
      '--assertion',
      file('a.jwt', signAssertion(key, claims)),
      '--base-url',
      'https://sts.example.com',
      '--target',
      TARGET,
    ]
  }

  test('explains what is current in the store, and no version before it', async () => {
    await apply(githubTenant('acme', { keys: [key] }))
    const before = await explainJson('--data', dataDir(), ...asked())
    expect([before.code, before.report.verdict.grant]).toEqual([0, 'deploy-prod'])
    expect(before.report.checks.find(({ check }: { check: string }) => check === 'signature').holds).toBe(true)
    await apply(
      githubTenant('acme', { keys: [key], grants: DEPLOY_GRANT.replace('refs/heads/main', 'refs/heads/next') }),
    )
    const after = await explainJson('--data', dataDir(), ...asked())
    expect([after.code, after.report.verdict.kind]).toEqual([1, 'no_grant_matches'])
    expect(after.report.nearest).toMatchObject({ grant: 'deploy-prod' })
  })

  test('a removed tenant is said to be so, a directory without a store is not made into one', async () => {
    await apply(githubTenant('acme', { keys: [key] }))
    expect(await runApply(['--remove', 'acme', '--data', dataDir()], captureIo())).toBe(0)
    const io = captureIo()
    expect(await run(['--tenant', 'acme', '--data', dataDir(), ...asked()], io)).toBe(1)
    expect(io.err()).toContain('was removed')
    await expect(explain('--data', join(directory, 'nowhere'), ...asked())).rejects.toThrow('there is no store')
    expect(existsSync(join(directory, 'nowhere'))).toBe(false)
    await expect(run(['--tenant', 'nobody', '--data', dataDir(), ...asked()], io)).rejects.toThrow('no tenant "nobody"')
  })

  test('two sources at once are wrong usage: which one decided would be a guess', async () => {
    await expect(explain('--data', dataDir(), '--tenants', 'tenants', ...asked())).rejects.toThrow('exclude each other')
  })
})
