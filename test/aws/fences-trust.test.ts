// Who may open which session, by the trust policies of the package alone: whoever asks may do everything by their own policies, and
// each request differs from a good one in one thing.
import { describe, expect, test } from 'vitest'
import { type Cloud, document } from '../support/aws/cloud.ts'
import type { Context } from '../support/aws/condition.ts'
import { decide } from '../support/aws/decision.ts'
import type { Session } from '../support/aws/sessions.ts'
import { functionSession, roleNamed, sessionOf, tenantSession, workloadSession } from '../support/fences/callers.ts'
import { call, may } from '../support/fences/deed.ts'
import { externalIdOfRole } from '../support/fences/deeds.ts'
import { packagedCloud } from '../support/packaged-stacks.ts'

/** Every role's own policies allow everything; trust policies and boundaries are as packaged. */
const withAllAllowed = (packaged: Cloud): Cloud => {
  const inline = { everything: document({ Effect: 'Allow', Action: '*', Resource: '*' }) }
  const roles = Object.entries(packaged.roles).map(([arn, role]) => [arn, { ...role, inline }])
  return { ...packaged, roles: Object.fromEntries(roles) }
}
const cloud = withAllAllowed(packagedCloud())

type Request = { readonly by: Session; readonly role: string; readonly input: Readonly<Record<string, unknown>> }
const opens = ({ by, role, input }: Request): Promise<boolean> => {
  const RoleArn = roleNamed(cloud, role)
  const does = call('sts', 'AssumeRole', { RoleArn, RoleSessionName: 'mintmark-01JQ8W', ...input } as never)
  return may(cloud, by, { says: 'open', does })
}
const tagged = (tenant: string) => ({ Tags: [{ Key: 'mintmark-tenant', Value: tenant }] })

const ELSEWHERE = 'arn:aws:iam::444455556666:role/mintmark/t/elsewhere/auditor'

describe.each([
  ['poolco', 'poolco-auditor'],
  ['siloco', 'siloco-auditor'],
  ['elsewhere', ELSEWHERE],
])("a role of %s that mint opens with the tenant's external id (%s)", (tenant, role) => {
  const good: Request = {
    by: functionSession(cloud, 'mint'),
    role,
    input: { ...tagged(tenant), ExternalId: externalIdOfRole(cloud, role), SourceIdentity: `${tenant}.01JQ8W` },
  }
  const differing = (input: object): Request => ({ ...good, input: { ...good.input, ...input } })
  const askedBy = (by: Session): Request => ({ ...good, by })

  test('opens to mint with every condition met, or the refusals below would pass on a role that opens to nobody', async () => {
    expect(await opens(good)).toBe(true)
  })

  test.each<[string, Request]>([
    ['without the external id', differing({ ExternalId: undefined })],
    ["with another role's external id", differing({ ExternalId: 'mintmark-stranger-AAAAAAAAAAAAAAAAAAAAAA' })],
    ['tagged for another tenant', differing(tagged('stranger'))],
    ['without a tag', differing({ Tags: [] })],
    ['with a source of another tenant', differing({ SourceIdentity: 'stranger.01JQ8W' })],
    ['without a source', differing({ SourceIdentity: undefined })],
    ['under a name that is not ours', differing({ RoleSessionName: 'somebody' })],
    ['asked by attest', askedBy(functionSession(cloud, 'attest'))],
    ['asked by trust', askedBy(functionSession(cloud, 'trust'))],
    ['asked by revoke', askedBy(functionSession(cloud, 'revoke'))],
    ["chained from mint's own session of the tenant", askedBy(tenantSession(cloud, 'mint', tenant))],
    ["chained from a workload's session of the tenant", askedBy(workloadSession(cloud, 'poolco-deployer', tenant))],
    ['asked by the provisioner that made it', askedBy(sessionOf(cloud, 'mintmark-provisioner'))],
    ['asked by an operator', askedBy(sessionOf(cloud, 'mintmark-operator', { sourceIdentity: `${tenant}.x` }))],
  ])('does not open %s', async (_says, request) => {
    expect(await opens(request)).toBe(false)
  })
})

test.each(['poolco-deployer', 'goneco-deployer'])('%s opens to nobody who asks without a token', async (role) => {
  const tenant = role.split('-')[0]!
  const input = { ...tagged(tenant), SourceIdentity: `${tenant}.01JQ8W` }
  for (const fn of ['attest', 'mint', 'trust', 'revoke', 'audit', 'discovery', 'rotate'])
    expect(await opens({ by: functionSession(cloud, fn), role, input })).toBe(false)
})

describe('a session of one tenant for a function', () => {
  const TENANT_BOUND = ['mint', 'revoke', 'audit', 'deliver', 'discovery', 'rotate'] as const
  test.each(TENANT_BOUND)('of %s opens to that function alone', async (fn) => {
    const role = `mintmark-data-${fn}`
    for (const by of ['attest', 'mint', 'trust', 'revoke', 'audit', 'deliver', 'discovery', 'rotate'])
      expect(await opens({ by: functionSession(cloud, by), role, input: tagged('poolco') }), by).toBe(by === fn)
    const chained: Request = { by: tenantSession(cloud, fn, 'poolco'), role, input: tagged('siloco') }
    expect(await opens(chained)).toBe(false)
    expect(await opens({ ...chained, by: workloadSession(cloud, 'poolco-deployer', 'poolco') })).toBe(false)
  })

  test.each([
    ['no tenant', { Tags: [] }],
    ['every tenant', tagged('*')],
    ['tenants of a pattern', tagged('pool?o')],
    ['a tenant and a part of its rows', tagged('poolco#G')],
    ['a tag of another name', { Tags: [{ Key: 'tenant', Value: 'poolco' }] }],
    ['a tenant and something else', { Tags: [...tagged('poolco').Tags, { Key: 'more', Value: 'x' }] }],
  ])('is of one: never of %s', async (_says, input) => {
    for (const fn of TENANT_BOUND)
      expect(await opens({ by: functionSession(cloud, fn), role: `mintmark-data-${fn}`, input })).toBe(false)
  })
})

describe.each([
  ['poolco', 'poolco-deployer', '111122223333', 'ci/10'],
  ['siloco', 'siloco-deployer', '111122223333', 'ci/20'],
  ['elsewhere', 'arn:aws:iam::444455556666:role/mintmark/t/elsewhere/deployer', '444455556666', 'ci/30'],
])("a role of %s that opens to a token of the tenant's issuer", (tenant, role, account, path) => {
  const issuer = `sts.example.com/t/${tenant}`
  const claims = {
    [`${issuer}:sub`]: `spiffe://${tenant}.example/${path}`,
    [`${issuer}:aud`]: `https://${issuer}/aws/${account}`,
  }
  const tags = { 'aws:RequestTag/mintmark-tenant': tenant, 'aws:TagKeys': ['mintmark-tenant'] }
  const source = { 'sts:SourceIdentity': `${tenant}.01JQ8W` }
  const pinned = { 'sts:RoleAuthorizedByIdp': 'true' }
  const provider = `arn:aws:iam::${account}:oidc-provider/${issuer}`

  /** AWS asks for the session, its tags and its source, each with keys of its own. */
  const opensTo = async (context: Context, by = provider): Promise<boolean> => {
    const given = (...keys: readonly object[]): Context =>
      Object.fromEntries(
        Object.keys(Object.assign({}, ...keys)).flatMap((key) =>
          context[key] === undefined ? [] : [[key, context[key]]],
        ),
      )
    const asks = [
      ['sts:AssumeRoleWithWebIdentity', context],
      ['sts:TagSession', given(claims, tags)],
      ['sts:SetSourceIdentity', given(claims, source)],
    ] as const
    const resource = roleNamed(cloud, role)
    const decisions = asks.map(([action, keys]) =>
      decide(cloud, {
        principal: { arn: by, role: null, sessionPolicies: [] },
        action,
        resource,
        resourceAccount: account,
        context: keys,
      }),
    )
    return (await Promise.all(decisions)).every(({ outcome }) => outcome === 'Allowed')
  }
  const good = { ...claims, ...tags, ...source, ...pinned }
  const without = (key: string): Context => Object.fromEntries(Object.entries(good).filter(([name]) => name !== key))

  test('opens to a token with every condition met, or the refusals below would pass on a role that opens to nobody', async () => {
    expect(await opensTo(good)).toBe(true)
  })

  test.each<[string, Context]>([
    ['that names no role', without('sts:RoleAuthorizedByIdp')],
    ['that names another role', { ...good, 'sts:RoleAuthorizedByIdp': 'false' }],
    ['tagged for another tenant', { ...good, 'aws:RequestTag/mintmark-tenant': 'stranger' }],
    ['without a tag', without('aws:RequestTag/mintmark-tenant')],
    ['with a source of another tenant', { ...good, 'sts:SourceIdentity': 'stranger.01JQ8W' }],
    ['without a source', without('sts:SourceIdentity')],
    ['for another audience', { ...good, [`${issuer}:aud`]: `https://${issuer}` }],
    ['of another workload', { ...good, [`${issuer}:sub`]: `spiffe://${tenant}.example/ci/99` }],
    ['of another trust domain', { ...good, [`${issuer}:sub`]: `spiffe://stranger.example/${path}` }],
  ])('does not open to a token %s', async (_says, context) => {
    expect(await opensTo(context)).toBe(false)
  })

  test('does not open to a token of another issuer', async () => {
    expect(await opensTo(good, `arn:aws:iam::${account}:oidc-provider/sts.example.com/t/stranger`)).toBe(false)
    expect(await opensTo(good, `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`)).toBe(false)
  })
})
