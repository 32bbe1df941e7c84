import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matches } from '../../lib/domain/decide.ts'
import { parseGlob } from '../../lib/domain/glob.ts'
import { canBothMatch, canMeet, isCoveredBy } from '../../lib/domain/lint-overlap.ts'
import type { Condition, GrantRule, Matcher } from '../../lib/domain/tenant-config.ts'

type Positive = Exclude<Matcher, { kind: 'not' }>
const value = fc.constantFrom('a', 'b', 'ab', 'a/b', 'abc')
const positive: fc.Arbitrary<Positive> = fc.oneof(
  value.map((text): Positive => ({ kind: 'equals', value: text })),
  fc.array(value, { minLength: 1, maxLength: 3 }).map((values): Positive => ({ kind: 'any_of', values })),
  fc
    .constantFrom('a*', 'a**', 'ab', '*b', 'a/*')
    .map((pattern): Positive => ({ kind: 'glob', pattern, parts: parseGlob(pattern)! })),
)
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  positive,
  positive.map((inner): Matcher => ({ kind: 'not', matcher: inner })),
)
const rule = (conditions: readonly Condition[]): GrantRule => ({
  name: 'g',
  from: 'i',
  conditions,
  identity: [],
  issue: [],
  claims: [],
  mode: 'enforce',
  untrustedSource: 'deny',
})
const rules = fc
  .uniqueArray(fc.record({ leaf: fc.constantFrom('ref.full', 'project.path'), matcher }), {
    selector: ({ leaf }) => leaf,
    maxLength: 2,
  })
  .map((conditions) => rule(conditions as Condition[]))
const holds = (grant: GrantRule, leaves: Record<string, string>) =>
  grant.conditions.every((condition) => matches(condition.matcher, leaves[condition.leaf]))

test('two matchers that one value satisfies can meet: the linter never misses an ambiguous pair', () => {
  fc.assert(
    fc.property(
      matcher,
      matcher,
      value,
      (a, b, text) => !(matches(a, text) && matches(b, text)) || canMeet('ref.full', a, b),
    ),
    { numRuns: 2_000 },
  )
})

test('two grants that one workload satisfies can both match', () => {
  const workload = fc.record({ 'ref.full': value, 'project.path': value })
  fc.assert(
    fc.property(rules, rules, workload, (a, b, who) => !(holds(a, who) && holds(b, who)) || canBothMatch(a, b)),
    { numRuns: 2_000 },
  )
})

test('a grant said to be covered never matches where the wider one does not', () => {
  const workload = fc.record({ 'ref.full': value, 'project.path': value })
  fc.assert(
    fc.property(
      rules,
      rules,
      workload,
      (narrow, wide, who) => !isCoveredBy(narrow, wide) || !holds(narrow, who) || holds(wide, who),
    ),
    { numRuns: 2_000 },
  )
})

test('enumerated leaves are decided by counting', () => {
  const not = (...values: string[]): Matcher => ({ kind: 'not', matcher: { kind: 'any_of', values } })
  expect(canMeet('ref.type', not('branch', 'tag'), not('pull_request', 'other'))).toBe(false)
  expect(canMeet('ref.type', not('branch', 'tag'), not('pull_request'))).toBe(true)
  expect(
    canMeet(
      'ref.protected',
      { kind: 'equals', value: true },
      { kind: 'not', matcher: { kind: 'equals', value: true } },
    ),
  ).toBe(false)
})
