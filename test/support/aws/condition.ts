// IAM condition operators, for the context keys the policy simulator does not know: KMS encryption contexts and the claims of an
// OIDC provider (`sts.example.com/t/acme:aud`). Compared with the simulator itself on keys both know. Pure.
// IAM User Guide, "Condition operators" and "Multivalued context keys".

export type Context = Readonly<Record<string, string | readonly string[]>>

type Compare = (actual: string, expected: string) => boolean

const like: Compare = (actual, expected) => globOf(expected).test(actual)
const sameArn: Compare = (actual, expected) => {
  const [a, b] = [splitArn(actual), splitArn(expected)]
  return a.length === b.length && b.every((part, index) => globOf(part).test(a[index]!))
}

const POSITIVE: Readonly<Record<string, Compare>> = {
  StringEquals: (actual, expected) => actual === unquote(expected),
  StringEqualsIgnoreCase: (actual, expected) => actual.toLowerCase() === unquote(expected).toLowerCase(),
  StringLike: like,
  ArnEquals: sameArn,
  ArnLike: sameArn,
  Bool: (actual, expected) => actual.toLowerCase() === expected.toLowerCase(),
}
const NEGATIVE: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
}

/**
 * Whether one line of a Condition block holds: `operator` may carry ForAllValues:, ForAnyValue: and IfExists. An absent key
 * fails a positive operator, passes a negative one, IfExists and ForAllValues. Throws for an operator it does not have.
 */
export const conditionHolds = (
  operator: string,
  key: string,
  expected: string | readonly string[],
  context: Context,
): boolean => {
  const [, set, base = '', ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator) ?? []
  const found = lookUp(context, key)
  const actual = found === undefined ? [] : typeof found === 'string' ? [found] : found
  const isAbsent = actual.length === 0
  const wanted = [expected].flat()
  if (base === 'Null') return wanted.some((value) => (value.toLowerCase() === 'true') === isAbsent)

  const positive = NEGATIVE[base] ?? base
  const isNegative = positive !== base
  const compare = POSITIVE[positive]
  if (compare === undefined) throw new Error(`condition operator ${operator} is not evaluated here`)
  if (isAbsent) return ifExists !== undefined || set === 'ForAllValues' || (isNegative && set === undefined)

  const candidates = wanted.flatMap((value) => substitute(value, context))
  const holds = (value: string): boolean => candidates.some((candidate) => compare(value, candidate)) !== isNegative
  return set === 'ForAnyValue' || (set === undefined && !isNegative) ? actual.some(holds) : actual.every(holds)
}

/** Key names are case-insensitive, down to the names of tags and pairs. */
export const lookUp = (context: Context, key: string): string | readonly string[] | undefined => {
  const wanted = key.toLowerCase()
  return Object.entries(context).find(([name]) => name.toLowerCase() === wanted)?.[1]
}

/**
 * The value with its policy variables filled in; empty when a variable without default has no value, as such a value never
 * matches. What a variable brings is text: a `*` in it is no wildcard.
 */
const substitute = (value: string, context: Context): string[] => {
  let isComplete = true
  const text = value.replace(/\$\{([^}]*)\}/g, (whole, inside: string) => {
    if (inside === '*' || inside === '?' || inside === '$') return quote(inside)
    const [, name = '', fallback] = /^\s*([^,\s]+)\s*(?:,\s*'([^']*)')?\s*$/.exec(inside) ?? []
    const found = lookUp(context, name) ?? fallback
    if (typeof found === 'string') return quote(found)
    isComplete = false
    return whole
  })
  return isComplete ? [text] : []
}

// Literal text inside a pattern is kept apart from wildcards by a character no policy contains.
const LITERAL = '\uE000'
const quote = (text: string): string => text.replace(/[*?]/g, `${LITERAL}$&`)
const unquote = (text: string): string => text.replaceAll(LITERAL, '')

/** `*` any run of characters, `?` any one, all else itself. */
const globOf = (pattern: string): RegExp => {
  const source = [...pattern.matchAll(/\uE000([*?])|([*?])|([^*?\uE000]+)/g)].map(([, literal, wildcard, text]) => {
    if (wildcard !== undefined) return wildcard === '*' ? '[\\s\\S]*' : '[\\s\\S]'
    return (literal ?? text ?? '').replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  })
  return new RegExp(`^${source.join('')}$`)
}

/** Six parts; the last one may hold colons of its own. */
const splitArn = (arn: string): string[] => {
  const parts = arn.split(':')
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')]
}
