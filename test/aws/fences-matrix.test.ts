// Who may what, by the packaged policies alone: everything there is to try (support/fences/deeds.ts) with every function's
// credentials, against design §2 as a table (support/fences/rights.ts). Our own code and its checks are not asked.
import { describe, expect, test } from 'vitest'
import { functionSession, sessionOf, tenantSession, workloadSession } from '../support/fences/callers.ts'
import { ask, call, may, possible, withHeldKeys } from '../support/fences/deed.ts'
import { sharedDeeds, tenantDeeds } from '../support/fences/deeds.ts'
import { OTHERS, RIGHTS } from '../support/fences/rights.ts'
import { packagedCloud } from '../support/packaged-stacks.ts'

const cloud = withHeldKeys(packagedCloud(), 'poolco', 'siloco')
const OWN = { tenant: 'poolco', role: 'poolco-auditor', claimant: 'poolco' } as const
const OTHER = { tenant: 'siloco', role: 'siloco-auditor', claimant: 'poolco' } as const

const deedsFor = (fn: string) => [
  ...tenantDeeds(cloud, OWN, ' of own'),
  ...tenantDeeds(cloud, OTHER, ' of other'),
  ...sharedDeeds(cloud, fn),
]
const sorted = (deeds: readonly string[]): string[] => [...deeds].sort()

test('every deed has a name of its own, so that none hides behind another', () => {
  const says = deedsFor('mint').map((deed) => deed.says)
  expect(new Set(says).size).toBe(says.length)
  expect(says.length).toBeGreaterThan(400)
})

describe.each(Object.entries(RIGHTS))('%s', (fn, rights) => {
  test('its credentials can do what design §2 gives it and nothing else', async () => {
    expect(sorted(await possible(cloud, functionSession(cloud, fn), deedsFor(fn)))).toEqual(sorted(rights.itself))
  })

  test('its credentials, carried out of it, are worth what Lambda itself does with them', async () => {
    const session = functionSession(cloud, fn, { isElsewhere: true })
    expect(sorted(await possible(cloud, session, deedsFor(fn)))).toEqual(sorted(rights.elsewhere))
  })

  const { forTenant } = rights
  if (forTenant === undefined) return
  test('its session of one tenant reaches no row, key or role of another', async () => {
    const session = tenantSession(cloud, fn, OWN.tenant)
    expect(sorted(await possible(cloud, session, deedsFor(fn)))).toEqual(sorted(forTenant))
  })
})

test.each(Object.entries(OTHERS))(
  '%s, which no function can become, can do its own work and nothing else',
  async (name, rights) => {
    const session = sessionOf(cloud, `mintmark-${name}`, { sourceIdentity: 'alice' })
    expect(sorted(await possible(cloud, session, deedsFor('mint')))).toEqual(sorted(rights))
  },
)

describe("a workload's role that was given everything", () => {
  const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } as const
  const role = Object.values(cloud.roles).find(({ arn }) => arn.endsWith('/poolco-auditor'))!
  const given = { ...cloud, roles: { ...cloud.roles, [role.arn]: { ...role, inline: { everything } } } }
  const session = workloadSession(given, OWN.role, OWN.tenant)

  test('can do nothing to what is the broker’s, or another tenant’s', async () => {
    expect(await possible(given, session, deedsFor('mint'))).toEqual([])
  })

  const object = (tenant: string) => ask('s3:GetObject', `arn:aws:s3:::mintmark-shared-data/${tenant}/a`)
  const secret = (tenant: string) => {
    const tags = { 'aws:ResourceTag/mintmark-tenant': tenant }
    return ask(
      'secretsmanager:GetSecretValue',
      `arn:aws:secretsmanager:eu-west-1:${cloud.account}:secret:x-AbCdEf`,
      tags,
    )
  }
  const row = (tenant: string) =>
    call('dynamodb', 'PutItem', { TableName: 'mintmark-app-orders', Item: { pk: { S: `${tenant}#1` } } })

  test.each([
    ['objects under its prefix', object],
    ['what is tagged as its own', secret],
    ['rows under its prefix', row],
  ])('reaches %s, and not those of another tenant', async (says, does) => {
    expect(await may(given, session, { says, does: does(OWN.tenant) })).toBe(true)
    expect(await may(given, session, { says, does: does(OTHER.tenant) })).toBe(false)
    expect(await may(given, session, { says, does: does(`${OWN.tenant}x`) })).toBe(false)
  })

  test('is bounded in every account by the same text, and so is every role of a tenant', () => {
    const tenants = Object.values(cloud.roles).filter(({ arn }) => arn.includes(':role/mintmark/t/'))
    expect(tenants).toHaveLength(8)
    const texts = tenants.map(({ boundary = '' }) => JSON.stringify(cloud.managedPolicies[boundary] ?? null))
    const [first = '', ...others] = texts.map((text) => text.replaceAll(/\d{12}/g, 'ACCOUNT'))
    expect(first).toContain('NotOfAnotherTenant')
    expect(new Set(others)).toEqual(new Set([first]))
  })
})
