// The presets as a set: which issuers each takes and owns, and the invariants that no single file can promise.
import { describe, expect, test } from 'vitest'
import { issuerOf } from '../../lib/domain/assertion-checks.ts'
import { isMappable } from '../../lib/domain/normalize.ts'
import { PROVIDERS, type ProviderName, TRIGGER_CLASSES, WID_LEAVES, type WidLeaf } from '../../lib/domain/wid.ts'
import { PROVIDER_CATALOG, presetOwning } from '../../lib/providers/catalog.ts'
import { SAMPLE_NAMES, sample } from '../support/assertion-samples.ts'

const GUID = '9d4b1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3'
const BITBUCKET = 'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc'

/** iss, the preset that takes it, whether it owns it, whether it is shared. */
const FORMS: readonly (readonly [string, ProviderName, boolean, boolean])[] = [
  ['https://token.actions.githubusercontent.com', 'github', true, true],
  ['https://token.actions.githubusercontent.com/acme-ent', 'github', true, false],
  ['https://token.actions.acme.ghe.com', 'github', true, false],
  ['https://token.actions.acme.ghe.com/acme-ent', 'github', true, false],
  ['https://ghes.acme.example/_services/token', 'github', false, false],
  ['https://gitlab.com', 'gitlab', true, true],
  ['https://gitlab.acme.example/', 'gitlab', false, false],
  ['https://bucket.acme.example/oidc/gitlab', 'gitlab', false, false],
  [`https://oidc.circleci.com/org/${GUID}`, 'circleci', true, false],
  ['https://oidc.circleci.com', 'circleci', true, true],
  ['https://circleci.acme.example', 'circleci', false, false],
  ['https://agent.buildkite.com', 'buildkite', true, true],
  [BITBUCKET, 'bitbucket', true, false],
  [`https://vstoken.dev.azure.com/${GUID}`, 'azure_devops', true, false],
  ['https://jenkins.acme.example:8443/oidc/job/payments', 'jenkins', false, false],
  ['https://app.terraform.io', 'hcp_terraform', true, true],
  ['https://app.eu.terraform.io', 'hcp_terraform', true, true],
  ['https://tfe.acme.example', 'hcp_terraform', false, false],
  ['https://acme.app.spacelift.io', 'spacelift', true, false],
  ['https://accounts.google.com', 'gcp', true, true],
  [`https://${GUID}.tokens.sts.global.api.aws`, 'aws', true, false],
  [`https://login.microsoftonline.com/${GUID}/v2.0`, 'azure', true, false],
  [`https://sts.windows.net/${GUID}/`, 'azure', true, false],
  ['https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF', 'kubernetes', true, false],
  ['https://container.googleapis.com/v1/projects/p/locations/l/clusters/c', 'kubernetes', true, false],
  [`https://westeurope.oic.prod-aks.azure.com/${GUID}/${GUID}/`, 'kubernetes', true, false],
  ['https://kubernetes.default.svc', 'kubernetes', true, false],
  ['https://oidc.cluster-1.acme.example', 'kubernetes', false, false],
  ['spiffe://prod.acme.example', 'spiffe', false, true],
  ['https://oidc.prod.acme.example', 'spiffe', false, true],
  ['https://codeberg.org/api/actions', 'forgejo', true, true],
  ['https://git.acme.example/forge/api/actions', 'forgejo', false, false],
  ['https://oidc.vercel.com/acme', 'vercel', true, true],
  ['https://oidc.vercel.com', 'vercel', true, true],
  ['https://oidc.fly.io/acme', 'fly', true, false],
  ['https://oidc.render.com/tea-abc123', 'render', true, false],
  ['https://acme.semaphoreci.com', 'semaphore', true, false],
  ['https://oidc.codefresh.io', 'codefresh', true, true],
  ['https://ci.acme.example', 'generic', false, false],
]

test.each(FORMS)('%s may be registered with %s', (iss, name, isOwn, isShared) => {
  const { issuer } = PROVIDER_CATALOG[name]
  expect(issuer.accepts(iss)).toBe(true)
  expect(issuer.shared(iss)).toBe(isShared)
  expect(presetOwning(iss)?.name ?? null).toBe(isOwn ? name : null)
})

/** Near misses: another platform's text, a broader tenant, a host that only looks right (A13, A15, A16). */
const NOT_ACCEPTED: readonly (readonly [ProviderName, string])[] = [
  ['github', 'https://token.actions.githubusercontent.com/'],
  ['github', 'https://token.actions.githubusercontent.com.evil.example'],
  ['github', 'https://token.actions.githubusercontent.com@evil.example'],
  ['github', 'https://token.actions.githubusercontent.com/a/b'],
  ['github', 'http://token.actions.githubusercontent.com'],
  ['github', 'https://token.actions.evil.example/ghe.com'],
  ['github', 'https://evil.example/x/_services/token'],
  ['gitlab', 'https://gitlab.com/'],
  ['gitlab', 'https://gitlab.com@evil.example'],
  ['gitlab', 'https://10.0.0.1'],
  ['gitlab', 'https://gitlab.acme.example/?x'],
  ['circleci', 'https://oidc.circleci.com/org/not-a-uuid'],
  ['circleci', 'https://oidc.circleci.com/'],
  ['buildkite', 'https://agent.buildkite.com/'],
  ['bitbucket', `${BITBUCKET}/`],
  ['azure_devops', 'https://vstoken.dev.azure.com/acme'],
  ['azure_devops', `https://login.microsoftonline.com/${GUID}/v2.0`],
  ['hcp_terraform', 'https://app.terraform.io/'],
  ['spacelift', 'https://a.b.app.spacelift.io'],
  ['gcp', 'accounts.google.com'],
  ['gcp', 'https://accounts.google.com/'],
  ['aws', 'https://sts.amazonaws.com'],
  ['azure', 'https://login.microsoftonline.com/common/v2.0'],
  ['azure', 'https://login.microsoftonline.com/organizations/v2.0'],
  ['azure', `https://sts.windows.net/${GUID}`],
  ['kubernetes', 'kubernetes/serviceaccount'],
  ['spiffe', 'spiffe://prod.acme.example/workload'],
  ['forgejo', 'https://codeberg.org'],
  ['vercel', 'https://oidc.vercel.com/'],
  ['fly', 'https://oidc.fly.io'],
  ['render', 'https://oidc.render.com'],
  ['render', 'https://oidc.render.com/acme'],
  ['render', 'https://oidc.render.com/tea-abc123/'],
  ['semaphore', 'https://semaphoreci.com'],
  ['semaphore', 'https://acme.semaphoreci.com/'],
  ['semaphore', 'https://acme.semaphoreci.com.evil.example'],
  ['semaphore', 'https://a.b.semaphoreci.com'],
  ['codefresh', 'https://oidc.codefresh.io/'],
  ['codefresh', 'https://oidc.acme.example'],
  ['generic', 'http://ci.acme.example'],
]

test.each(NOT_ACCEPTED)('%s does not take %s', (name, iss) => {
  expect(PROVIDER_CATALOG[name].issuer.accepts(iss)).toBe(false)
})

test.each([
  'https://token.actions.githubusercontent.com/any/path',
  'https://gitlab.com/',
  'https://oidc.circleci.com/org/x',
  'https://login.microsoftonline.com/common/v2.0',
  'accounts.google.com',
  'https://oidc.vercel.com/acme/',
  'https://oidc.render.com/acme',
  'https://acme.semaphoreci.com/',
  'https://oidc.codefresh.io/acme',
])('a form nobody may register is still owned, so that generic cannot take %s', (iss) => {
  expect(presetOwning(iss)).not.toBeNull()
})

describe.each(PROVIDERS)('the preset %s', (name) => {
  const preset = PROVIDER_CATALOG[name]

  test('is listed under its own name', () => {
    expect(preset.name).toBe(name)
  })

  test('takes the issuer of every sample but the refused legacy one', () => {
    for (const each of SAMPLE_NAMES.filter((it) => it !== 'kubernetes-legacy')) {
      const { provider, claims, header } = sample(each)
      if (provider !== name) continue
      expect(preset.issuer.accepts(String(issuerOf(claims))), each).toBe(true)
      if (name !== 'generic') expect(preset.algorithms, each).toContain(header['alg'])
    }
  })

  test('fills the leaf a grant must bind, unless the document maps it', () => {
    expect(preset.leaves[preset.workloadLeaf] !== undefined || isMappable(preset, preset.workloadLeaf)).toBe(true)
    expect(preset.leaves[preset.tenancyLeaf] !== undefined || isMappable(preset, preset.tenancyLeaf)).toBe(true)
  })

  test('says where the workload id is reusable, so that the linter can', () => {
    const source = preset.leaves[preset.workloadLeaf]
    const isReusable = preset.workloadReusable === true || preset.isReusableWorkload !== undefined
    if (source !== undefined) expect(source.mutability === 'immutable').toBe(!isReusable)
  })

  test('has a trigger claim exactly when it has a trigger table, of known classes', () => {
    expect(preset.triggers !== null).toBe(preset.leaves['trigger.raw'] !== undefined)
    for (const triggerClass of Object.values(preset.triggers ?? {})) expect(TRIGGER_CLASSES).toContain(triggerClass)
  })

  test('fills no reserved leaf and gives advice on leaves that exist', () => {
    for (const leaf of ['provider', 'issuer', 'untrusted_source', 'assurance', 'trigger.class'] as const)
      expect(preset.leaves[leaf]).toBeUndefined()
    for (const { leaves, says } of preset.advice) {
      expect(says).not.toBe('')
      for (const leaf of leaves)
        expect(preset.leaves[leaf] !== undefined || leaf === 'trigger.class' || isMappable(preset, leaf)).toBe(true)
    }
  })

  test('gives no run leaf that could outlive its run', () => {
    for (const leaf of Object.keys(WID_LEAVES).filter((it) => it.startsWith('run.')) as WidLeaf[])
      expect(preset.leaves[leaf]?.mutability ?? 'per_run').toBe('per_run')
  })

  test('never lists an audience everybody shares as its own choice', () => {
    expect(preset.defaultAudiences?.('https://sts.example.com/t/acme') ?? false).toBe(false)
  })

  test('A10: with a fixed audience takes evidence once and at most 120 s old', () => {
    expect(preset.audience === 'fixed').toBe(preset.fixedAudience !== undefined)
    if (preset.audience === 'fixed') expect([preset.replay, preset.maxAgeSeconds]).toEqual(['once', 120])
  })
})

test('the ages and replay modes of issuers.md §3 stand', () => {
  const ages = Object.fromEntries(
    PROVIDERS.map((name) => [name, [PROVIDER_CATALOG[name].maxAgeSeconds, PROVIDER_CATALOG[name].replay]]),
  )
  expect(ages).toEqual({
    github: [300, 'once'],
    gitlab: [600, 'once'],
    circleci: [600, 'once'],
    buildkite: [300, 'once'],
    bitbucket: [600, 'once'],
    azure_devops: [120, 'once'],
    jenkins: [600, 'once'],
    hcp_terraform: [3600, 'reuse'],
    spacelift: [120, 'once'],
    gcp: [3600, 'reuse'],
    aws: [300, 'once'],
    azure: [3600, 'reuse'],
    kubernetes: [3600, 'reuse'],
    spiffe: [600, 'reuse'],
    forgejo: [600, 'once'],
    vercel: [600, 'once'],
    fly: [600, 'once'],
    render: [120, 'once'],
    semaphore: [120, 'once'],
    codefresh: [120, 'once'],
    generic: [600, 'once'],
  })
  expect(PROVIDER_CATALOG.buildkite.lifetimeSecondsMax).toBe(300)
  expect(PROVIDER_CATALOG.kubernetes.lifetimeSecondsMax).toBe(86_400)
})

test('the fixed audiences are those of the platform', () => {
  expect(PROVIDER_CATALOG.azure_devops.fixedAudience?.(`https://vstoken.dev.azure.com/${GUID}`)).toBe(
    'api://AzureADTokenExchange',
  )
  expect(PROVIDER_CATALOG.spacelift.fixedAudience?.('https://acme.app.spacelift.io')).toBe('acme.app.spacelift.io')
  expect(PROVIDER_CATALOG.render.fixedAudience?.('https://oidc.render.com/tea-abc123')).toBe('sts.amazonaws.com')
  expect(PROVIDER_CATALOG.semaphore.fixedAudience?.('https://acme.semaphoreci.com')).toBe(
    'https://acme.semaphoreci.com',
  )
  expect(PROVIDER_CATALOG.codefresh.fixedAudience?.('https://oidc.codefresh.io')).toBe('https://g.codefresh.io')
  expect(PROVIDERS.filter((name) => PROVIDER_CATALOG[name].audience === 'fixed')).toEqual([
    'azure_devops',
    'spacelift',
    'render',
    'semaphore',
    'codefresh',
  ])
})

test('the key sets that discovery cannot find are pinned', () => {
  expect(PROVIDER_CATALOG.gcp.jwksUrl?.('https://accounts.google.com')).toBe(
    'https://www.googleapis.com/oauth2/v3/certs',
  )
  expect(PROVIDER_CATALOG.vercel.jwksUrl?.('https://oidc.vercel.com/acme')).toBe(
    'https://oidc.vercel.com/.well-known/jwks',
  )
  expect(PROVIDER_CATALOG.bitbucket.jwksUrl?.(BITBUCKET)).toBe(`${BITBUCKET}/keys.json`)
  expect(PROVIDER_CATALOG.azure.jwksUrl?.(`https://sts.windows.net/${GUID}/`)).toBe(
    `https://login.microsoftonline.com/${GUID}/discovery/keys`,
  )
  expect(PROVIDER_CATALOG.azure.jwksUrl?.(`https://login.microsoftonline.com/${GUID}/v2.0`)).toBe(
    `https://login.microsoftonline.com/${GUID}/discovery/v2.0/keys`,
  )
})

test('A38: the issuer that is the same in every cluster takes inline keys only', () => {
  expect(PROVIDER_CATALOG.kubernetes.keysInlineOnly?.('https://kubernetes.default.svc')).toBe(true)
  expect(PROVIDER_CATALOG.kubernetes.keysInlineOnly?.('https://oidc.cluster-1.acme.example')).toBe(false)
})
