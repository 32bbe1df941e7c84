// What no grant, however written, may do: less can never give more.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { evaluateGrants } from '../../lib/domain/decide.ts'
import type { Condition, Matcher } from '../../lib/domain/tenant-config.ts'
import type { Wid } from '../../lib/domain/wid.ts'
import { config, decide, entry, equals, glob, grant, wid } from '../support/grant-samples.ts'

const LEAVES = ['project.id', 'ref.full', 'environment.name', 'org.id'] as const
const value = fc.constantFrom('1', '2', 'refs/heads/main')
const positive = fc.oneof(
  value.map((text) => equals(text) as Exclude<Matcher, { kind: 'not' }>),
  fc
    .array(value, { minLength: 1, maxLength: 2 })
    .map((values): Exclude<Matcher, { kind: 'not' }> => ({ kind: 'any_of', values })),
  fc.constant(glob('refs/**')),
)
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  positive,
  positive.map((inner): Matcher => ({ kind: 'not', matcher: inner })),
)
const condition = fc.record({ leaf: fc.constantFrom(...LEAVES), matcher })
const workload = fc
  .record(Object.fromEntries(LEAVES.map((leaf) => [leaf, fc.option(value)])))
  .map((leaves) => wid(leaves))
const rule = fc.array(condition, { maxLength: 3 })
const holds = (conditions: Condition[], who: Wid) =>
  evaluateGrants(config(grant('a', { conditions })), 'github', who)[0]!.holds

test('one more condition never widens a grant', () => {
  fc.assert(
    fc.property(
      rule,
      condition,
      workload,
      (conditions, extra, who) => !holds([...conditions, extra], who) || holds(conditions, who),
    ),
  )
})

test('a leaf that turns null never widens a grant', () => {
  fc.assert(
    fc.property(
      rule,
      workload,
      fc.constantFrom(...LEAVES),
      (conditions, who, leaf) => !holds(conditions, { ...who, [leaf]: null }) || holds(conditions, who),
    ),
  )
})

test('a leaf no condition names changes nothing', () => {
  fc.assert(
    fc.property(
      rule,
      workload,
      fc.string(),
      (conditions, who, text) => holds(conditions, { ...who, 'actor.name': text }) === holds(conditions, who),
    ),
  )
})

test('fewer scopes or audiences in a grant never give more to a request that names it', () => {
  const some = fc.subarray(['a', 'b', 'c'])
  fc.assert(
    fc.property(some, some, some, fc.constantFrom('a', 'b', 'c'), (wide, kept, asked, audience) => {
      const narrow = wide.filter((one) => kept.includes(one))
      const served = (list: string[]) =>
        decide([grant('x', { issue: [entry(list, list)] })], { grant: 'x', audience, scope: asked })
      return typeof served(narrow) === 'string' || typeof served(wide) !== 'string'
    }),
  )
})

test('the order of grants decides nothing', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), workload, (rules, who) => {
      const grants = rules.map((conditions, index) => grant(`g${index}`, { conditions }))
      expect(decide([...grants].reverse(), { audience: 'https://a' }, who)).toEqual(
        decide(grants, { audience: 'https://a' }, who),
      )
    }),
  )
})
