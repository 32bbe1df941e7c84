// Design §5, "Over all tenants": what belongs to one tenant only.
import { describe, expect, test } from 'vitest'
import { checkBesideStored } from '../../lib/wire/check-tenants.ts'
import { canonicalDocument } from '../../lib/wire/compile-tenant.ts'
import { COMPILE, loadTexts, VALID } from '../support/tenant-documents.ts'

describe('refused over all tenants', () => {
  const globex = VALID.replace('tenant: acme', 'tenant: globex')
    .replace('acme.example\n', 'globex.example\n')
    .replace('/t/acme', '/t/globex')
  const role = (tenant: string, account: string) =>
    `      - { type: aws-credentials, role: "arn:aws:iam::${account}:role/mintmark/t/${tenant}/deployer", ttl: 15m }\n  reader:`

  test('two tenants with nothing in common but a shared issuer are accepted', () => {
    expect(loadTexts([VALID, globex]).problems).toEqual([])
  })

  test.each([
    [
      'one name',
      [VALID, VALID.replace('trust_domain: acme.example', 'trust_domain: other.example')],
      'b.yaml:1',
      /the name acme belongs to tenant "acme"/,
    ],
    [
      'one trust domain',
      [VALID, globex.replace('globex.example', 'acme.example')],
      'b.yaml:2',
      /trust domain acme.example belongs to tenant "acme" already \(a.yaml\)/,
    ],
    [
      'one AWS account',
      [
        VALID.replace('  reader:', role('acme', '444455556666')),
        globex.replace('  reader:', role('globex', '444455556666')),
      ],
      'b.yaml:27',
      /AWS account 444455556666/,
    ],
  ])('%s', (_name, texts, at, message) => {
    const { problems } = loadTexts(texts)
    expect(problems.map(({ file, line }) => `${file}:${line}`)).toEqual([at])
    expect(problems[0]?.message).toMatch(message)
  })

  test('what a tenant has that is in the store and in no file is not to be had either', () => {
    const stored = (text: string, tenant: string, version = 3) => {
      const [read] = loadTexts([text]).tenants
      return { tenant, version, digest: 'd', document: canonicalDocument(read!.loaded.document) }
    }
    const acme = stored(VALID, 'acme')
    const beside = (text: string, ...versions: ReturnType<typeof stored>[]) =>
      checkBesideStored(loadTexts([text]).tenants, versions, COMPILE).map(
        ({ file, line, message }) => `${file}:${line} ${message}`,
      )
    expect(beside(globex, acme)).toEqual([])
    const taking = globex.replace('globex.example', 'acme.example')
    expect(beside(taking, acme)).toEqual([
      'a.yaml:2 the trust domain acme.example belongs to tenant "acme" already (acme@3)',
    ])
    // What two of the store have is no problem of a file; what is not served has nothing.
    expect(beside(globex.replace('globex.example', 'other.example'), acme, stored(taking, 'globex'))).toEqual([
      expect.stringMatching(/^a\.yaml:1 the name globex belongs/),
    ])
    expect(beside(taking, { ...acme, document: '{}' })).toEqual([])
    // Served at the base URL it was applied for, though it does not pass here.
    const elsewhere = acme.document.replace('"org_id"', '"audience":"https://broker.acme.example/t/acme","org_id"')
    expect(beside(taking, { ...acme, document: elsewhere })).toEqual(beside(taking, acme))
  })

  test('a workload whose audience is fixed belongs to one tenant', () => {
    const azure = (text: string) =>
      text
        .replace(
          'provider: generic\n    issuer: https://ci.acme.example\n    claims: { project.id: project_uuid, ref.full: git_ref }',
          'provider: azure_devops\n    issuer: https://vstoken.dev.azure.com/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d\n    fixed_audience: accept\n    reason: the platform fixes it',
        )
        .concat(
          '  azure:\n    from: in-house\n    match: { project.id: p/1, ref.full: refs/heads/main }\n    identity: /azure/deploy\n    issue: [{ type: access_token, audience: [https://x.example], scope: [x] }]\n',
        )
    expect(loadTexts([azure(VALID)]).problems).toEqual([])
    const { problems } = loadTexts([azure(VALID), azure(globex)])
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^p\/1 of https:\/\/vstoken.*belongs to tenant "acme" already/),
    ])
    expect(loadTexts([azure(VALID), azure(globex).replace('p/1', 'p/2')]).problems).toEqual([])
  })
})
