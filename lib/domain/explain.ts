// The decision in words (design P8, §9): every condition of every candidate grant, what was expected and what was there, and
// the grant that came nearest. For operators only; nothing of it may reach a caller. Pure.

import type { GrantEvaluation } from './decide.ts'
import { quoted } from './quoted.ts'
import type { GrantRule, IdentityPart, Matcher } from './tenant-config.ts'
import type { Wid, WidLeaf } from './wid.ts'

export type ExplainedRow = {
  readonly grant: string
  /** The leaf; `untrusted_source` and `identity` for the two rules that every grant has. */
  readonly condition: WidLeaf | 'identity'
  readonly expected: string
  readonly actual: string
  readonly holds: boolean
}

export type Explanation = {
  readonly rows: readonly ExplainedRow[]
  /** The enforced grant most of whose conditions hold, and how many; null where there is none. A tie: the earlier one. */
  readonly nearest: { readonly grant: string; readonly held: number; readonly of: number } | null
  /** Names of the grants that decide and are recorded, and never issue. */
  readonly reportOnly: readonly string[]
}

/** Rows in document order, for each grant its conditions, then the untrusted rule, then the identity. */
export const explainGrants = (evaluations: readonly GrantEvaluation[], wid: Wid): Explanation => {
  const rows = evaluations.flatMap((evaluation) => rowsOf(evaluation, wid))
  let nearest: Explanation['nearest'] = null
  for (const { grant } of evaluations) {
    if (grant.mode === 'report') continue
    const own = rows.filter((row) => row.grant === grant.name)
    const held = own.filter(({ holds }) => holds).length
    if (nearest === null || held / own.length > nearest.held / nearest.of)
      nearest = { grant: grant.name, held, of: own.length }
  }
  const reportOnly = evaluations.flatMap(({ grant }) => (grant.mode === 'report' ? [grant.name] : []))
  return { rows, nearest, reportOnly }
}

const rowsOf = ({ grant, results, untrustedOk, identity }: GrantEvaluation, wid: Wid): ExplainedRow[] => [
  ...grant.conditions.map(({ leaf, matcher }, index) => ({
    grant: grant.name,
    condition: leaf,
    expected: describeMatcher(matcher),
    actual: describeValue(wid[leaf]),
    holds: results[index] ?? false,
  })),
  {
    grant: grant.name,
    condition: 'untrusted_source',
    expected: grant.untrustedSource === 'allow' ? 'anything (allowed by the grant)' : 'is false',
    actual: describeValue(wid.untrusted_source),
    holds: untrustedOk,
  },
  {
    grant: grant.name,
    condition: 'identity',
    expected: templateOf(grant),
    actual: identity ?? unusable(grant, wid),
    holds: identity !== null,
  },
]

/** `is "x"`, `is one of "a", "b"`, `matches "x/*"`, `is not …, but there`. */
export const describeMatcher = (matcher: Matcher): string => {
  switch (matcher.kind) {
    case 'equals':
      return `is ${describeValue(matcher.value)}`
    case 'any_of':
      return matcher.values.length === 1
        ? `is ${describeValue(matcher.values[0] ?? null)}`
        : `is one of ${matcher.values.map(describeValue).join(', ')}`
    case 'glob':
      return `matches ${quoted(matcher.pattern)}`
    case 'not':
      return `is there and not: ${describeMatcher(matcher.matcher)}`
  }
}

const describeValue = (value: string | boolean | null): string => (value === null ? '(missing)' : quoted(value))

/** The identity as the document has it. */
export const templateOf = ({ identity }: GrantRule): string =>
  identity
    .map((parts) => `/${parts.map((part) => ('literal' in part ? part.literal : `{${part.leaf}}`)).join('')}`)
    .join('')

const unusable = ({ identity }: GrantRule, wid: Wid): string => {
  const leaves = identity.flat().flatMap((part: IdentityPart) => ('leaf' in part ? [part.leaf] : []))
  const missing = leaves.filter((leaf) => wid[leaf] === null)
  return missing.length > 0
    ? `none: ${missing.join(', ')} missing`
    : `none: ${leaves.map((leaf) => `${leaf} ${describeValue(wid[leaf])}`).join(', ')} has characters outside A-Z a-z 0-9 . _ -`
}
