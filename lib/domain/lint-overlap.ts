// Whether two grants can match one workload, and whether one always matches where the other does. Decidable because matchers
// are typed: a finite set, one small pattern language, or the complement of these (design §5, "no expression language").
// What leaves say about each other is not known here, so "can" may be said of a pair no real workload meets. Pure.
import { matches } from './decide.ts'
import { globsIntersect, parseGlob } from './glob.ts'
import type { GrantRule, Matcher } from './tenant-config.ts'
import { WID_LEAVES, type WidLeaf, type WidValue } from './wid.ts'

/** Whether some workload could satisfy the conditions of both. */
export const canBothMatch = (a: GrantRule, b: GrantRule): boolean =>
  a.conditions.every(({ leaf, matcher }) => {
    const other = b.conditions.find((condition) => condition.leaf === leaf)
    return other === undefined || canMeet(leaf, matcher, other.matcher)
  })

/** Whether every workload that satisfies `narrow` satisfies `wide` too. Says no where it cannot tell. */
export const isCoveredBy = (narrow: GrantRule, wide: GrantRule): boolean =>
  wide.conditions.every(({ leaf, matcher }) => {
    const own = narrow.conditions.find((condition) => condition.leaf === leaf)
    return own !== undefined && isWithin(leaf, own.matcher, matcher)
  }) &&
  (narrow.untrustedSource === 'deny' || wide.untrustedSource === 'allow')

/** Whether one value satisfies both matchers of a leaf. */
export const canMeet = (leaf: WidLeaf, a: Matcher, b: Matcher): boolean => {
  const values = valuesOf(leaf, a) ?? valuesOf(leaf, b)
  if (values !== null) return values.some((value) => matches(a, value) && matches(b, value))
  if (a.kind === 'glob' && b.kind === 'glob') return globsIntersect(a.parts, b.parts)
  // Left are pairs with a `not` over an open set: all but a few values are in it, unless it takes away just that pattern.
  const [glob, not] = a.kind === 'glob' ? [a, b] : [b, a]
  if (glob.kind === 'glob' && not.kind === 'not') return !isWithin(leaf, glob, not.matcher)
  return true
}

const isWithin = (leaf: WidLeaf, a: Matcher, b: Matcher): boolean => {
  const values = valuesOf(leaf, a)
  if (values !== null) return values.every((value) => !matches(a, value) || matches(b, value))
  if (a.kind === 'glob' && b.kind === 'glob') return a.pattern === b.pattern
  if (a.kind === 'glob' && b.kind === 'not') return !canMeet(leaf, a, b.matcher)
  if (a.kind === 'not' && b.kind === 'not') return isWithin(leaf, b.matcher, a.matcher)
  return false
}

/** Every value that can satisfy the matcher, or null where they cannot be counted. */
const valuesOf = (leaf: WidLeaf, matcher: Matcher): readonly WidValue[] | null => {
  const type = WID_LEAVES[leaf]
  if (type.type === 'boolean') return [true, false]
  if ('values' in type) return type.values
  if (matcher.kind === 'equals') return [matcher.value]
  if (matcher.kind === 'any_of') return matcher.values
  if (matcher.kind === 'glob' && parseGlob(matcher.pattern)?.every((part) => typeof part === 'string'))
    return [matcher.pattern]
  return null
}
