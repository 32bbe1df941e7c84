// Every sample of events/assertions and the wid/1 it becomes (issuers.md §5.3), written by hand: leaves not named are null.
// Longer than 300 lines: one table.
import { describe, expect, test } from 'vitest'
import { issuerOf } from '../../lib/domain/assertion-checks.ts'
import { normalize } from '../../lib/domain/normalize.ts'
import { WID_LEAVES, type Wid, type WidLeaf, type WidValue } from '../../lib/domain/wid.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { SAMPLE_NAMES, safeTemplates, sample } from '../support/assertion-samples.ts'

type Leaves = { readonly [leaf in WidLeaf]?: WidValue }

const SHA = '1f0c9d3e5b7a48f2c6d1e0b9a8f7e6d5c4b3a291'
const MAIN = { 'ref.full': 'refs/heads/main', 'ref.type': 'branch', 'ref.name': 'main' } as const

const GITHUB: Leaves = {
  provider: 'github',
  issuer: 'https://token.actions.githubusercontent.com',
  'org.id': '1234567',
  'org.name': 'acme',
  'project.id': '7654321',
  'project.path': 'acme/api',
  ...MAIN,
  'ref.protected': true,
  'environment.name': 'production',
  'environment.id': 'EN_kwDOAB',
  'workflow.uri': 'acme/ci/.github/workflows/release.yml',
  'workflow.ref': 'refs/tags/v3',
  'workflow.digest': '9ab2c4d6e8f00112233445566778899aabbccdde',
  'config.uri': 'acme/api/.github/workflows/deploy.yml',
  'config.ref': 'refs/heads/main',
  'config.digest': SHA,
  commit: SHA,
  'trigger.raw': 'push',
  'trigger.class': 'push',
  'run.id': '987654321',
  'run.attempt': '1',
  'run.job': '555',
  'actor.id': '42',
  'actor.name': 'dev1',
  'runner.class': 'hosted',
  visibility: 'private',
}

const GITLAB: Leaves = {
  provider: 'gitlab',
  issuer: 'https://gitlab.com',
  'org.id': '9001',
  'org.name': 'acme',
  'project.id': '20',
  'project.path': 'acme/api',
  'job_project.id': '20',
  ...MAIN,
  'ref.protected': true,
  'environment.name': 'production',
  'environment.protected': true,
  'workflow.uri': 'gitlab.com/acme/api//.gitlab-ci.yml',
  'workflow.ref': 'refs/heads/main',
  'workflow.digest': SHA,
  'config.uri': 'gitlab.com/acme/api//.gitlab-ci.yml',
  'config.ref': 'refs/heads/main',
  'config.digest': SHA,
  commit: SHA,
  'trigger.raw': 'push',
  'trigger.class': 'push',
  'run.id': '574',
  'run.job': '302',
  'actor.id': '7',
  'actor.name': 'dev1',
  'runner.class': 'hosted',
  'runner.id': '1',
  visibility: 'private',
}

const CIRCLECI: Leaves = {
  provider: 'circleci',
  issuer: 'https://oidc.circleci.com/org/3f2a6c1e-0d4b-4f5a-9a77-1c2d3e4f5a6b',
  'org.id': '3f2a6c1e-0d4b-4f5a-9a77-1c2d3e4f5a6b',
  'project.id': '88bd1c9a-2b3c-4d5e-8f90-a1b2c3d4e5f6',
  'project.path': 'github.com/acme/api',
  ...MAIN,
  'workflow.uri': 'aa10b2c3-d4e5-4f60-8172-93a4b5c6d7e8',
  'run.id': 'cc30d4e5-f607-4182-9394-b5c6d7e8f90a',
  'run.job': 'dd40e5f6-0718-4293-a4a5-c6d7e8f90a1b',
  'actor.id': 'c0de0000-1111-4222-8333-444455556666',
  'runner.class': 'unknown',
}

const BUILDKITE: Leaves = {
  provider: 'buildkite',
  issuer: 'https://agent.buildkite.com',
  'org.id': '018a1f2e-3d4c-7b5a-8697-a8b9c0d1e2f3',
  'org.name': 'acme',
  'project.id': '018b2a3f-4e5d-7c6b-9708-b9cad1e2f304',
  'project.path': 'api',
  ...MAIN,
  'workflow.uri': 'deploy',
  commit: SHA,
  'trigger.raw': 'webhook',
  'trigger.class': 'push',
  'run.id': '12',
  'run.job': '01841e2f-3a4b-4c5d-8e6f-70819a2b3c4d',
  'runner.class': 'self_hosted',
  'runner.id': '01841e2f-9999-4c5d-8e6f-70819a2b3c4d',
  'runner.pool': '018d4c51-607f-7e8d-992a-dbecf3041526',
}

const BITBUCKET: Leaves = {
  provider: 'bitbucket',
  issuer: 'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc',
  'org.id': '{22222222-3333-4444-8555-666677778888}',
  'project.id': '{7c2d4e6f-8091-4a2b-8c3d-4e5f60718293}',
  'ref.full': 'refs/heads/main',
  'ref.type': 'other',
  'ref.name': 'main',
  'environment.id': '{44444444-5555-4666-8777-888899990000}',
  'run.id': '{33333333-4444-4555-8666-777788889999}',
  'run.job': '{e19f2a3b-4c5d-4e6f-8071-8293a4b5c6d7}',
  'actor.id': '{11111111-2222-4333-8444-555566667777}',
  'runner.class': 'unknown',
}

const AZURE_DEVOPS: Leaves = {
  provider: 'azure_devops',
  issuer: 'https://vstoken.dev.azure.com/9d4b1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3',
  'org.id': '9d4b1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3',
  'project.id': '51aa2b3c-4d5e-4f60-8718-293a4b5c6d7e/12',
  'project.path': 'acme/api',
  ...MAIN,
  'workflow.uri': 'p://acme/payments/deploy-prod',
  commit: SHA,
  'run.id': '3456',
  'runner.class': 'unknown',
}

const JENKINS: Leaves = {
  provider: 'jenkins',
  issuer: 'https://jenkins.acme.example/oidc/job/payments',
  'org.id': 'https://jenkins.acme.example/oidc/job/payments',
  'project.id': 'https://jenkins.acme.example/job/payments/job/deploy/',
  'workflow.uri': 'https://jenkins.acme.example/job/payments/job/deploy/',
  'run.id': '41',
  'runner.class': 'unknown',
}

const HCP: Leaves = {
  provider: 'hcp_terraform',
  issuer: 'https://app.terraform.io',
  'org.id': 'org-AbC123',
  'org.name': 'acme',
  'project.id': 'ws-9',
  'project.path': 'organization:acme:project:Core Infra:workspace:prod',
  phase: 'apply',
  'run.id': 'run-7',
  'runner.class': 'unknown',
  'runner.pool': 'prj-1',
}

const SPACELIFT: Leaves = {
  provider: 'spacelift',
  issuer: 'https://acme.app.spacelift.io',
  'org.id': 'https://acme.app.spacelift.io',
  'project.id': 'prod-01HX8Z/api-prod',
  'workflow.uri': 'stack',
  'trigger.raw': 'TRACKED',
  'trigger.class': 'push',
  phase: 'write',
  'run.id': '01JDKX5W7M3N8P2Q4R6S8T0V2X',
  'runner.class': 'unknown',
}

const GCP: Leaves = {
  provider: 'gcp',
  issuer: 'https://accounts.google.com',
  'org.id': '739419398126',
  'project.id': '104857600000000000001',
  'project.path': 'deployer@acme-prod.iam.gserviceaccount.com',
  'instance.kind': 'vm',
  'instance.id': '152986662232938449',
}

const AWS: Leaves = {
  provider: 'aws',
  issuer: 'https://6f1c2d3e-4f5a-4b6c-8d7e-8f90a1b2c3d4.tokens.sts.global.api.aws',
  'org.id': '123456789012',
  'project.id': 'arn:aws:iam::123456789012:role/deployer',
  'instance.kind': 'vm',
  'instance.id': 'arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc123def4567890',
}

const AZURE: Leaves = {
  provider: 'azure',
  issuer: 'https://login.microsoftonline.com/11111111-aaaa-4bbb-8ccc-dddddddddddd/v2.0',
  'org.id': '11111111-aaaa-4bbb-8ccc-dddddddddddd',
  'project.id': '44444444-aaaa-4bbb-8ccc-dddddddddddd',
  'run.id': 'AbCdEfGhIjKlMnOpQrStUv',
  'instance.kind': 'managed_identity',
  'instance.id':
    '/subscriptions/55555555-aaaa-4bbb-8ccc-dddddddddddd/resourcegroups/rg1/providers/Microsoft.ManagedIdentity/userAssignedIdentities/deployer',
}

const kubernetes = (issuer: string): Leaves => ({
  provider: 'kubernetes',
  issuer,
  'org.id': issuer,
  'project.id': '1a2b3c4d-5e6f-4071-8283-94a5b6c7d8e9',
  'project.path': 'payments/deployer',
  'run.id': 'b7c1d2e3-f405-4162-8738-495a6b7c8d9e',
  'instance.kind': 'pod',
  'instance.id': '3c4d5e6f-7081-4293-a4b5-c6d7e8f90a1b',
})

const SPIFFE: Leaves = {
  provider: 'spiffe',
  issuer: 'https://oidc.prod.acme.example',
  'org.id': 'prod.acme.example',
  'project.id': 'spiffe://prod.acme.example/ns/payments/sa/deployer',
  'runner.class': 'unknown',
}

const VERCEL: Leaves = {
  provider: 'vercel',
  issuer: 'https://oidc.vercel.com/acme',
  'org.id': 'team_7Gw5ZMBpQA8h9GF832KGp7nw',
  'org.name': 'acme',
  'project.id': 'prj_QmycKd3k5T8wYxV1nLr9bHsE',
  'project.path': 'web',
  'environment.name': 'production',
  'run.id': 'dpl_8KxZ2vQ7mN4pT1rW6yB3',
  'runner.class': 'hosted',
}

const RENDER: Leaves = {
  provider: 'render',
  issuer: 'https://oidc.render.com/tea-abc123acme0000000001',
  'org.id': 'tea-abc123acme0000000001',
  'project.id': 'srv-ghi789acme0000000003',
  'environment.id': 'evm-def456acme0000000002',
  'runner.class': 'hosted',
}

const SEMAPHORE: Leaves = {
  provider: 'semaphore',
  issuer: 'https://acme.semaphoreci.com',
  'org.id': '77aa88bb-99cc-4ddd-8eee-0f1a2b3c4d5e',
  'org.name': 'acme',
  'project.id': '9a1c2b3d-4e5f-4607-8182-93a4b5c6d7e8',
  'project.path': 'acme/api',
  ...MAIN,
  'trigger.raw': 'h',
  'trigger.class': 'push',
  'run.id': '1be81412-6ab8-4fc0-9d0d-7af33335a6ec',
  'run.job': 'c117e453-1189-4eaf-b03a-dd6538eb49b2',
  'runner.class': 'unknown',
}

const CODEFRESH: Leaves = {
  provider: 'codefresh',
  issuer: 'https://oidc.codefresh.io',
  'org.id': '64e1a2b3c4d5e6f708192a3b',
  'org.name': 'acme',
  'project.id': '64f0c40800aafd1455566a7b',
  'project.path': 'https://github.com/acme/api',
  'ref.full': 'main',
  'ref.type': 'other',
  'ref.name': 'main',
  'workflow.uri': 'core/deploy',
  'trigger.raw': 'push',
  'trigger.class': 'push',
  'run.id': '64f447c02199f903000a20b1',
  'runner.class': 'self_hosted',
}

/** sample -> its leaves; `untrusted_source` and `assurance` are false and bearer unless named. */
const EXPECTED: Readonly<Record<string, Leaves>> = {
  github: GITHUB,
  'github-enterprise-slug': { ...GITHUB, issuer: 'https://token.actions.githubusercontent.com/acme-ent' },
  'github-ghe': { ...GITHUB, issuer: 'https://token.actions.acme.ghe.com' },
  'github-ghes': {
    ...GITHUB,
    issuer: 'https://ghes.acme.example/_services/token',
    'environment.id': null,
    'run.job': null,
    'runner.class': 'self_hosted',
  },
  'github-pull-request': {
    ...GITHUB,
    'ref.full': 'refs/pull/7/merge',
    'ref.type': 'pull_request',
    'ref.name': '7/merge',
    'ref.protected': false,
    'environment.name': null,
    'environment.id': null,
    'workflow.uri': 'acme/api/.github/workflows/test.yml',
    'workflow.ref': 'refs/pull/7/merge',
    'config.uri': 'acme/api/.github/workflows/test.yml',
    'config.ref': 'refs/pull/7/merge',
    'trigger.raw': 'pull_request',
    'trigger.class': 'pull_request',
    untrusted_source: true,
  },
  'github-pull-request-target': {
    ...GITHUB,
    'trigger.raw': 'pull_request_target',
    'trigger.class': 'privileged_fork',
    untrusted_source: true,
  },
  gitlab: GITLAB,
  'gitlab-self-managed': {
    ...GITLAB,
    issuer: 'https://gitlab.acme.example/',
    'job_project.id': null,
    'workflow.uri': 'gitlab.acme.example/acme/api//.gitlab-ci.yml',
    'config.uri': 'gitlab.acme.example/acme/api//.gitlab-ci.yml',
    'runner.class': 'self_hosted',
    'runner.id': '12',
  },
  'gitlab-fork-mr': {
    ...GITLAB,
    'org.id': '6666',
    'org.name': 'mallory',
    'project.id': '31337',
    'project.path': 'mallory/api',
    'ref.protected': false,
    'environment.name': null,
    'environment.protected': null,
    'workflow.uri': 'gitlab.com/mallory/api//.gitlab-ci.yml',
    'workflow.digest': null,
    'config.uri': 'gitlab.com/mallory/api//.gitlab-ci.yml',
    'config.digest': null,
    'trigger.raw': 'merge_request_event',
    'trigger.class': 'pull_request',
    'actor.id': '666',
    'actor.name': 'mallory',
    visibility: 'public',
    untrusted_source: true,
  },
  circleci: CIRCLECI,
  'circleci-root': { ...CIRCLECI, issuer: 'https://oidc.circleci.com' },
  'circleci-ssh-rerun': { ...CIRCLECI, 'runner.class': 'interactive', untrusted_source: true },
  buildkite: BUILDKITE,
  'buildkite-slugs': { ...BUILDKITE, 'org.id': 'acme', 'project.id': 'api', 'runner.pool': null },
  'buildkite-tag': { ...BUILDKITE, 'ref.full': 'refs/tags/v1.4.0', 'ref.type': 'tag', 'ref.name': 'v1.4.0' },
  bitbucket: BITBUCKET,
  'bitbucket-custom-pipeline': {
    ...BITBUCKET,
    'ref.full': null,
    'ref.type': null,
    'ref.name': null,
    'environment.id': null,
  },
  'azure-devops': AZURE_DEVOPS,
  jenkins: JENKINS,
  'jenkins-pull-request': {
    ...JENKINS,
    'project.id': 'https://jenkins.acme.example/job/payments/job/api/job/PR-12/',
    'workflow.uri': 'https://jenkins.acme.example/job/payments/job/api/job/PR-12/',
    untrusted_source: true,
  },
  'hcp-terraform': HCP,
  'hcp-terraform-plan': { ...HCP, phase: 'plan' },
  spacelift: SPACELIFT,
  'spacelift-proposed': {
    ...SPACELIFT,
    'trigger.raw': 'PROPOSED',
    'trigger.class': 'pull_request',
    untrusted_source: true,
  },
  'spacelift-task': { ...SPACELIFT, 'trigger.raw': 'TASK', 'trigger.class': 'interactive', untrusted_source: true },
  gcp: GCP,
  'gcp-cloud-run': { ...GCP, 'org.id': 'acme-prod', 'instance.kind': null, 'instance.id': null },
  aws: AWS,
  'aws-lambda': {
    ...AWS,
    'actor.id': 'dev1',
    'instance.kind': 'function',
    'instance.id': 'arn:aws:lambda:eu-west-1:123456789012:function:deployer',
  },
  azure: AZURE,
  'azure-v1': { ...AZURE, issuer: 'https://sts.windows.net/11111111-aaaa-4bbb-8ccc-dddddddddddd/' },
  kubernetes: kubernetes('https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF'),
  'kubernetes-aks': kubernetes(
    'https://westeurope.oic.prod-aks.azure.com/11111111-aaaa-4bbb-8ccc-dddddddddddd/77777777-aaaa-4bbb-8ccc-dddddddddddd/',
  ),
  'kubernetes-in-cluster': kubernetes('https://kubernetes.default.svc'),
  spiffe: SPIFFE,
  'spiffe-without-iss': { ...SPIFFE, issuer: 'spiffe://prod.acme.example' },
  'spiffe-without-iat': { ...SPIFFE, 'run.id': '2d3e4f5a-6b7c-4d8e-9f01-a2b3c4d5e6f7' },
  forgejo: {
    provider: 'forgejo',
    issuer: 'https://git.acme.example/api/actions',
    'org.id': '12',
    'org.name': 'acme',
    'project.id': '34',
    'project.path': 'acme/api',
    ...MAIN,
    'ref.protected': true,
    'workflow.uri': 'acme/api/.forgejo/workflows/deploy.yml',
    'workflow.ref': 'refs/heads/main',
    'config.uri': 'acme/api/.forgejo/workflows/deploy.yml',
    'config.ref': 'refs/heads/main',
    commit: SHA,
    'trigger.raw': 'push',
    'trigger.class': 'push',
    'run.id': '91',
    'run.attempt': '1',
    'actor.id': '7',
    'actor.name': 'dev1',
    'runner.class': 'unknown',
  },
  vercel: VERCEL,
  'vercel-global': { ...VERCEL, issuer: 'https://oidc.vercel.com' },
  'vercel-preview': { ...VERCEL, 'environment.name': 'preview', untrusted_source: true },
  'vercel-development': {
    ...VERCEL,
    'environment.name': 'development',
    'run.id': null,
    'actor.id': 'usr_Dv5xWq2',
    'runner.class': 'interactive',
    untrusted_source: true,
  },
  fly: {
    provider: 'fly',
    issuer: 'https://oidc.fly.io/acme',
    'org.id': '5501',
    'org.name': 'acme',
    'project.id': '8123',
    'project.path': 'api',
    'instance.kind': 'machine',
    'instance.id': '148e21f0c34589',
    'instance.image': 'sha256:9c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d8e9f01',
  },
  render: RENDER,
  'render-default': { ...RENDER, 'environment.id': 'default' },
  semaphore: SEMAPHORE,
  'semaphore-pull-request': {
    ...SEMAPHORE,
    'ref.full': 'refs/pull/7/merge',
    'ref.type': 'pull_request',
    'ref.name': '7/merge',
    'trigger.raw': 'pull-request',
    'trigger.class': 'pull_request',
    untrusted_source: true,
  },
  'semaphore-debug-job': {
    ...SEMAPHORE,
    'trigger.raw': 'debug_job',
    'trigger.class': 'interactive',
    'run.id': null,
    'runner.class': 'interactive',
    untrusted_source: true,
  },
  'semaphore-filtered': { ...SEMAPHORE, 'ref.type': null, untrusted_source: true },
  'semaphore-tag': {
    ...SEMAPHORE,
    'ref.full': 'refs/tags/v1.4.0',
    'ref.type': 'tag',
    'ref.name': 'v1.4.0',
    'trigger.raw': 's',
    'trigger.class': 'schedule',
  },
  codefresh: CODEFRESH,
  'codefresh-pull-request': {
    ...CODEFRESH,
    'ref.full': 'feature',
    'ref.type': 'pull_request',
    'ref.name': 'feature',
    'trigger.raw': 'pull_request',
    'trigger.class': 'pull_request',
    untrusted_source: true,
  },
  'codefresh-manual': { ...CODEFRESH, 'trigger.raw': 'manual', 'trigger.class': 'manual', 'actor.id': 'dev1' },
  'codefresh-cron': {
    ...CODEFRESH,
    'project.path': null,
    'ref.full': null,
    'ref.type': null,
    'ref.name': null,
    'trigger.raw': null,
    'trigger.class': 'unknown',
    untrusted_source: true,
  },
  generic: {
    provider: 'generic',
    issuer: 'https://ci.acme.example',
    'org.id': 'acme',
    'project.id': '8f14e45f-ceea-467a-9575-0a1b2c3d4e5f',
    'ref.full': 'refs/heads/main',
    'ref.protected': true,
    'run.id': '1207',
  },
}

/** Samples whose check refuses them: they never become a wid. */
const REFUSED = [
  'azure-devops-service-connection',
  'hcp-terraform-module-test',
  'kubernetes-legacy',
  'render-other-workspace',
]

const complete = (leaves: Leaves): Wid => ({
  ...(Object.fromEntries(Object.keys(WID_LEAVES).map((leaf) => [leaf, null])) as Wid),
  untrusted_source: false,
  assurance: 'bearer',
  ...leaves,
})

test('no sample is left out of this table', () => {
  expect([...Object.keys(EXPECTED), ...REFUSED].sort()).toEqual(SAMPLE_NAMES)
})

describe('a sample becomes exactly these leaves', () => {
  test.each(Object.keys(EXPECTED))('%s', (name) => {
    const { provider, claims } = sample(name)
    const preset = PROVIDER_CATALOG[provider]
    const iss = String(issuerOf(claims))
    expect(preset.check?.(claims, iss) ?? { ok: true, value: null }).toEqual({ ok: true, value: null })
    const wid = normalize(preset, iss, claims, safeTemplates[provider].mapping ?? null)
    expect(wid).toEqual({ ok: true, value: complete(EXPECTED[name]!) })
  })
})

describe('a sample no grant may ever see', () => {
  test.each(REFUSED)('%s', (name) => {
    const { provider, claims } = sample(name)
    expect(PROVIDER_CATALOG[provider].check?.(claims, String(issuerOf(claims)))).toMatchObject({
      ok: false,
      refusal: { kind: 'claim_invalid' },
    })
  })
})
