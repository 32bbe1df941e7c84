// The rules that bring findings to events, against the events as they were recorded: each is caught by one of them, and an event
// that nobody but its sender vouches for by none.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findingResources } from '../../infra/findings.ts'
import type { Settings } from '../../infra/settings.ts'

type Json = string | boolean | null | { readonly [name: string]: Json }
type Rule = { readonly Properties: { readonly EventPattern: Json; readonly EventBusName?: object } }

const settings = (findingAccounts: readonly string[]) =>
  ({ place: { stage: 'prod' }, findingAccounts }) as unknown as Settings
const resources = findingResources(settings(['444455556666'])) as Record<string, { readonly Type: string }>
const rules = Object.values(resources).filter(({ Type }) => Type === 'AWS::Events::Rule') as unknown as Rule[]

/** EventBridge's patterns as far as ours use them (user guide, "Creating event patterns"). */
const matches = (pattern: unknown, value: unknown): boolean => {
  if (Array.isArray(pattern))
    return pattern.some((one) => {
      if (typeof one !== 'object') return one === value
      if ('prefix' in one) return typeof value === 'string' && value.startsWith(one.prefix)
      if ('exists' in one) return (value !== undefined) === one.exists
      throw new Error('a pattern this test does not know')
    })
  return Object.entries(pattern as object).every(([name, inner]) =>
    matches(inner, (value as Record<string, unknown> | undefined)?.[name]),
  )
}
const caughtBy = (event: unknown, onBus: boolean): number =>
  rules.filter(
    ({ Properties }) => (Properties.EventBusName !== undefined) === onBus && matches(Properties.EventPattern, event),
  ).length

const folder = new URL('../../events/aws/', import.meta.url)
const recorded = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))

describe.each([
  ["the account's own bus", false],
  ["the bus of tenants' accounts", true],
])('%s', (_, onBus) => {
  test.each(readdirSync(folder))('%s is caught once', (name) => {
    expect(caughtBy(recorded(name), onBus)).toBe(1)
  })

  test('an event of somebody’s own source, and a call by a session that nobody of ours opened, are not', () => {
    expect(caughtBy({ ...recorded('guardduty-anomalous-behavior.json'), source: 'acme.guardduty' }, onBus)).toBe(0)
    const call = recorded('cloudtrail-stop-logging.json')
    delete call.detail.userIdentity.sessionContext.sourceIdentity
    expect(caughtBy(call, onBus)).toBe(0)
  })
})

test('an account may send to the bus only what AWS wrote, and only when it is named', () => {
  const policies = (accounts: readonly string[]) =>
    Object.values(findingResources(settings(accounts))).filter(
      (resource) => (resource as { Type: string }).Type === 'AWS::Events::EventBusPolicy',
    )
  expect(policies([])).toEqual([])
  expect(JSON.stringify(policies(['444455556666']))).toMatch(
    /iam::444455556666:root.*"Condition":\{"StringLike":\{"events:source":"aws\.\*"\}\}/,
  )
})
