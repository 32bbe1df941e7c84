// Who may what, by the packaged policies alone: everything there is to try (support/fences/deeds.ts) with every function's
// credentials, against design §2 as a table (support/fences/rights.ts). Our own code and its checks are not asked.
import { describe, expect, test } from 'vitest'
import { functionSession, tenantSession } from '../support/fences/callers.ts'
import { possible, withHeldKeys } from '../support/fences/deed.ts'
import { sharedDeeds, tenantDeeds } from '../support/fences/deeds.ts'
import { RIGHTS } from '../support/fences/rights.ts'
import { packagedCloud } from '../support/packaged-stacks.ts'

const cloud = withHeldKeys(packagedCloud(), 'poolco', 'siloco')
const OWN = { tenant: 'poolco', role: 'poolco-deployer', claimant: 'poolco' } as const
const OTHER = { tenant: 'siloco', role: 'siloco-deployer', claimant: 'poolco' } as const

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
