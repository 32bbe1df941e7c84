// What a tenant pastes into its account. That AWS decides by it as meant is tried in test/aws.
import { expect, test } from 'vitest'
import { roleTrusts } from '../../lib/wire/role-trust.ts'
import { COMPILE, changed, loadTexts, VALID } from '../support/tenant-documents.ts'

const ROLE = 'arn:aws:iam::444455556666:role/mintmark/t/acme/deployer'
const OPTIONS = { brokerRole: 'arn:aws:iam::111122223333:role/mintmark/fn/mintmark-mint', sha256: COMPILE.sha256 }

const trustsOf = (text: string) => {
  const { tenants, problems } = loadTexts([text])
  expect(problems).toEqual([])
  return roleTrusts(tenants[0]!.config, OPTIONS)
}
const withRole = (entry: string) =>
  changed('        ttl: 10m\n', `        ttl: 10m\n      - { type: aws-credentials, ${entry} }\n`)

test('web identity: the provider of this tenant, one audience, the workloads of the grant, the role pinned', () => {
  expect(trustsOf(withRole(`role: "${ROLE}"`))).toEqual([
    {
      role: ROLE,
      via: 'web-identity',
      provider: {
        url: 'https://sts.example.com/t/acme',
        clientId: 'https://sts.example.com/t/acme/aws/444455556666',
      },
      trust: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'Assume',
            Effect: 'Allow',
            Principal: { Federated: 'arn:aws:iam::444455556666:oidc-provider/sts.example.com/t/acme' },
            Action: 'sts:AssumeRoleWithWebIdentity',
            Condition: {
              Bool: { 'sts:RoleAuthorizedByIdp': 'true' },
              StringEquals: {
                'sts.example.com/t/acme:aud': 'https://sts.example.com/t/acme/aws/444455556666',
                'aws:RequestTag/mintmark-tenant': 'acme',
              },
              StringLike: {
                'sts.example.com/t/acme:sub': ['spiffe://acme.example/ci/7654321'],
                'sts:SourceIdentity': 'acme.*',
              },
            },
          },
          {
            Sid: 'Tag',
            Effect: 'Allow',
            Principal: { Federated: 'arn:aws:iam::444455556666:oidc-provider/sts.example.com/t/acme' },
            Action: 'sts:TagSession',
            Condition: { StringEquals: { 'aws:RequestTag/mintmark-tenant': 'acme' } },
          },
          {
            Sid: 'NameSource',
            Effect: 'Allow',
            Principal: { Federated: 'arn:aws:iam::444455556666:oidc-provider/sts.example.com/t/acme' },
            Action: 'sts:SetSourceIdentity',
            Condition: { StringLike: { 'sts:SourceIdentity': 'acme.*' } },
          },
        ],
      },
    },
  ])
})

test('a leaf the grant does not bind to one value is a pattern; a role of two grants is for the workloads of both', () => {
  const text = withRole(`role: "${ROLE}"`)
    .replace('identity: /ci/{project.id}', 'identity: /ci/{project.id}/{ref.name}')
    .replace(
      'identity: /ops/reader\n    issue:',
      `identity: /ops/reader\n    issue:\n      - { type: aws-credentials, role: "${ROLE}" }`,
    )
  const [trust, more] = trustsOf(text)
  expect(more).toBeUndefined()
  expect(trust?.trust.Statement[0]?.Condition['StringLike']).toMatchObject({
    'sts.example.com/t/acme:sub': ['spiffe://acme.example/ci/7654321/*', 'spiffe://acme.example/ops/reader'],
  })
})

test("assume-role: every statement is for mint's role alone, and the first asks for the external id", () => {
  const [trust] = trustsOf(withRole(`role: "${ROLE}", via: assume-role`))
  expect(trust?.provider).toBeNull()
  const statements = trust?.trust.Statement ?? []
  expect(statements.map(({ Action }) => Action)).toEqual(['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'])
  for (const { Principal, Condition } of statements) {
    expect(Principal).toEqual({ AWS: 'arn:aws:iam::111122223333:root' })
    expect(Condition['ArnEquals']).toEqual({ 'aws:PrincipalArn': OPTIONS.brokerRole })
  }
  expect(statements[0]?.Condition['StringEquals']).toMatchObject({
    'sts:ExternalId': expect.stringMatching(/^mintmark-acme-[\w-]{22}$/),
  })
})

test('a tenant without roles needs nothing', () => {
  expect(trustsOf(VALID)).toEqual([])
})
