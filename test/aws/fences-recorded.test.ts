// Every call that the suites made (lambda-e2e, fences-calls) judged again by the policies of the package: all of them are allowed,
// each Allow is missed by a call that names itself when it goes, and what no call needs stands on a list with its reason.
import { describe, expect, test } from 'vitest'
import type { Cloud } from '../support/aws/cloud.ts'
import { decide } from '../support/aws/decision.ts'
import { type StatementName, statementsOf, withoutStatement } from '../support/aws/policies.ts'
import { distinctEntries, type Entry, entriesOf, reevaluate } from '../support/aws/recorder.ts'
import { UNUSED } from '../support/fences/unused.ts'
import { readRecording } from '../support/recordings.ts'

const recordings = ['lambda-e2e', 'fences-calls'].map((name) => {
  const { cloud, entries } = readRecording(name)
  return { name, cloud, entries: distinctEntries(entries) }
})

/** Roles of tenants are made by one builder: what one of them needs, all of them have. */
const nameIn = (cloud: Cloud, { policy, statement }: StatementName): string => {
  const role = policy.replace('trust of ', '')
  const isTenants = Object.keys(cloud.roles).some(
    (arn) => arn.includes(':role/mintmark/t/') && arn.endsWith(`/${role}`),
  )
  return `${isTenants ? 'trust of roles of tenants' : policy}: ${statement}`
}

type Place = { readonly cloud: Cloud; readonly entries: readonly Entry[]; readonly statement: StatementName }
const allows = Map.groupBy(
  recordings.flatMap(({ cloud, entries }) =>
    statementsOf(cloud)
      .filter(({ effect }) => effect === 'Allow')
      .map((statement): Place => ({ cloud, entries, statement })),
  ),
  ({ cloud, statement }) => nameIn(cloud, statement),
)

const named = ({ principal, action, resource }: Entry): string => `${principal.arn} ${action} ${resource}`

/** A recorded call that fails without it; null: there is none. */
const callThatNeeds = async (places: readonly Place[]): Promise<string | null> => {
  for (const { cloud, entries, statement } of places)
    for (const entry of entriesOf(entries, statement)) {
      if (entry.decision.outcome !== 'Allowed') continue
      const without = await decide(withoutStatement(cloud, statement), entry)
      if (without.outcome !== 'Allowed') return named(entry)
    }
  return null
}

const exceptionsFor = (name: string) =>
  UNUSED.filter(({ policy, statement }) => {
    const [of = '', sid = ''] = name.split(/: (?=[^:]*$)/)
    return policy.test(of) && statement.test(sid)
  })

/** How mint proves that a role asks for its external id: it must be refused (lib/adapters/aws/sts-assumed-role.ts). */
const isProof = ({ action, resource, context }: Entry): boolean =>
  action === 'sts:AssumeRole' && resource.includes(':role/mintmark/t/') && context['sts:ExternalId'] === undefined

test.each(recordings)(
  '$name: every recorded call is allowed, but for the proof that a role asks for its external id',
  async ({ cloud, entries }) => {
    expect(entries.length).toBeGreaterThan(10)
    const again = await reevaluate(entries, cloud)
    expect(again.filter(({ isChanged }) => isChanged)).toEqual([])
    const refused = again.filter(({ now }) => now.outcome !== 'Allowed').map(({ entry }) => entry)
    expect(refused.filter((entry) => !isProof(entry)).map(named)).toEqual([])
  },
)

describe('an allowance is needed by a recorded call, or stands on the list of those that none needs', () => {
  test.each([...allows])('%s', async (name, places) => {
    const call = await callThatNeeds(places)
    const exceptions = exceptionsFor(name)
    if (call === null) expect(exceptions, 'nothing needs it and no reason is given').toHaveLength(1)
    else expect(exceptions, `${call} needs it: its exception says otherwise`).toEqual([])
  })
})

test('every exception is for an allowance that exists', () => {
  const idle = UNUSED.filter((exception) => ![...allows.keys()].some((name) => exceptionsFor(name).includes(exception)))
  expect(idle).toEqual([])
})
