// One entry of `grants:` becomes a GrantRule, or the reasons why not: typed matchers, what a grant must bind, what it may
// issue (design §5; issuers.md §0.7-0.9, §3 hard lines that the design keeps). Pure.
import { accountOf, federationAudience } from '../domain/aws-session.ts'
import { parseGlob } from '../domain/glob.ts'
import { parseIdentityTemplate } from '../domain/identity-template.ts'
import { LIMITS } from '../domain/limits.ts'
import type { Provider } from '../domain/provider.ts'
import type { Condition, GrantRule, IssueEntry, IssuerConfig, Matcher } from '../domain/tenant-config.ts'
import { type Mutability, WID_CLAIMS_DEFAULT, WID_LEAVES, type WidLeaf } from '../domain/wid.ts'
import { isFederationAudience } from './compile-issuer.ts'
import { secondsOf } from './duration.ts'
import type { GrantDocument, IssueDocument, MatcherDocument } from './tenant-document.ts'
import type { DocumentPath } from './tenant-problem.ts'
import { type BrokerPlace, isOwnUrl } from './tenant-urls.ts'

export type GrantContext = BrokerPlace & {
  readonly tenant: string
  readonly issuerUrl: string
  readonly issuer: IssuerConfig
  readonly provider: Provider
  readonly problem: (path: DocumentPath, message: string) => void
}

type Report = (path: DocumentPath, message: string) => void

/** Leaves that say who somebody is: a pattern on them must not begin or end open, or cross a delimiter (A2). */
const IDENTITY_LEAVES: ReadonlySet<WidLeaf> = new Set([
  'issuer',
  'org.id',
  'org.name',
  'project.id',
  'project.path',
  'job_project.id',
  'actor.id',
  'actor.name',
])

/** Files, whose path begins with whose they are: `acme*` is also `acme-evil` there (A2). */
const OWNED_LEAVES: ReadonlySet<WidLeaf> = new Set(['workflow.uri', 'config.uri'])

/** Reports every problem. A rule with problems is never used. */
export const compileGrant = (name: string, document: GrantDocument, context: GrantContext): GrantRule => {
  const problem: Report = (path, message) => context.problem(['grants', name, ...path], message)
  const conditions = conditionsOf(document, context, problem)
  checkBindings(conditions, context, problem)
  const untrustedSource = document.untrusted_source ?? 'deny'
  if (untrustedSource === 'allow' && !document.waivers?.some(({ rule }) => rule === 'untrusted_source'))
    problem(['untrusted_source'], 'untrusted_source: allow needs waivers: [{ rule: untrusted_source, reason: … }]')
  return {
    name,
    from: document.from,
    conditions,
    identity: identityOf(document, context, problem),
    issue: document.issue.map((entry, index) =>
      issueOf(entry, context, (path, message) => problem(['issue', index, ...path], message)),
    ),
    claims: document.claims ?? WID_CLAIMS_DEFAULT,
    mode: document.mode ?? 'enforce',
    untrustedSource,
  }
}

const conditionsOf = (document: GrantDocument, context: GrantContext, problem: Report): readonly Condition[] =>
  Object.entries(document.match).map(([key, value]) => {
    const leaf = key as WidLeaf
    const path = ['match', leaf]
    if ('policy' in WID_LEAVES[leaf])
      problem(
        path,
        leaf === 'untrusted_source'
          ? 'untrusted_source holds without being written: leave it out, or say untrusted_source: allow on the grant'
          : `${leaf} is for the record and cannot be matched`,
      )
    else if (mutabilityOf(context.provider, leaf) === 'caller')
      problem(path, `${leaf} is whatever the caller of ${context.provider.title} wrote: it cannot be matched`)
    return { leaf, matcher: matcherOf(leaf, value as MatcherDocument, (message) => problem(path, message)) }
  })

const mutabilityOf = (provider: Provider, leaf: WidLeaf): Mutability | null => provider.leaves[leaf]?.mutability ?? null

const matcherOf = (leaf: WidLeaf, value: MatcherDocument, problem: (message: string) => void): Matcher => {
  if (typeof value === 'object' && !Array.isArray(value) && 'not' in value)
    return { kind: 'not', matcher: positiveOf(leaf, value.not, problem) }
  return positiveOf(leaf, value, problem)
}

type Positive = Exclude<Matcher, { kind: 'not' }>

const positiveOf = (
  leaf: WidLeaf,
  value: Exclude<MatcherDocument, { not: unknown }>,
  problem: (message: string) => void,
): Positive => {
  const type = WID_LEAVES[leaf]
  const values: readonly string[] | null = 'values' in type ? type.values : null
  const checkText = (text: string) => {
    if (type.type === 'boolean') problem(`${leaf} is true or false, without quotes`)
    else if (values !== null && !values.includes(text)) problem(`${leaf} is one of ${values.join(', ')}`)
  }
  if (typeof value === 'boolean') {
    if (type.type !== 'boolean') problem(`${leaf} is text: write "${value}" in quotes if that is meant`)
    return { kind: 'equals', value }
  }
  if (typeof value === 'string') {
    checkText(value)
    return { kind: 'equals', value }
  }
  if (!('glob' in value)) {
    value.forEach(checkText)
    return { kind: 'any_of', values: value }
  }
  if (type.type === 'boolean' || values !== null)
    problem(`${leaf} takes ${values === null ? 'true or false' : `one of ${values.join(', ')}`}, no pattern`)
  return { kind: 'glob', pattern: value.glob, parts: partsOf(leaf, value.glob, problem) }
}

const partsOf = (leaf: WidLeaf, pattern: string, problem: (message: string) => void) => {
  const parts = parseGlob(pattern)
  if (parts === null) {
    problem('a pattern has "*" and "**", never three in a row')
    return [pattern]
  }
  const isIdentity = IDENTITY_LEAVES.has(leaf)
  if (typeof parts[0] === 'number')
    problem('a pattern must not begin with a wildcard: anybody could choose what comes before')
  if (isIdentity && typeof parts.at(-1) === 'number')
    problem(`a pattern on ${leaf} must not end with a wildcard: acme* is also acme-evil`)
  if ((isIdentity || OWNED_LEAVES.has(leaf)) && parts.includes(2))
    problem(`"**" crosses "/": on ${leaf} only "*" is allowed`)
  if (OWNED_LEAVES.has(leaf)) {
    const open = pattern
      .split('/')
      .slice(0, -1)
      .find((segment) => segment !== '*' && segment.includes('*'))
    if (open !== undefined)
      problem(
        `${open}/ may be a name of somebody else: before the last "/" of ${leaf} a "*" stands for a whole segment`,
      )
  }
  return parts
}

/** What every grant must bind (design §5, "Two rules hold without being written"). `not` alone satisfies nothing. */
const checkBindings = (conditions: readonly Condition[], { provider, issuer }: GrantContext, problem: Report): void => {
  const leaf = provider.workloadLeaf
  const isFilled = provider.leaves[leaf] !== undefined || issuer.mapping.some((mapped) => mapped.leaf === leaf)
  if (!isFilled)
    problem(['from'], `no claim of issuer "${issuer.name}" fills ${leaf}: name it with claims: { ${leaf}: … }`)
  const bound = conditions.find((condition) => condition.leaf === leaf)
  if (bound === undefined || (bound.matcher.kind !== 'equals' && bound.matcher.kind !== 'any_of'))
    problem(
      ['match'],
      `a grant must bind ${leaf} to an exact value or a list of them${provider.workloadReusable ? '' : ', the immutable id'}: without it any workload of this issuer has the grant`,
    )
  const isBound = (name: WidLeaf) =>
    conditions.some((condition) => condition.leaf === name && condition.matcher.kind !== 'not')
  const hasRef = isBound('ref.full') || (isBound('ref.name') && isBound('ref.type'))
  if (provider.bindsRefOrEnvironment && !hasRef && !isBound('environment.name') && !isBound('environment.id'))
    problem(
      ['match'],
      'a grant must bind a ref or an environment (ref.full, environment.name or environment.id): without it any branch has the grant',
    )
}

const identityOf = (document: GrantDocument, { provider }: GrantContext, problem: Report): GrantRule['identity'] => {
  const template = parseIdentityTemplate(document.identity)
  if (!template.ok) {
    problem(['identity'], `the identity ${template.problem}`)
    return []
  }
  for (const part of template.segments.flat())
    if ('leaf' in part && mutabilityOf(provider, part.leaf) === 'caller')
      problem(['identity'], `${part.leaf} is whatever the caller wrote: it cannot be part of an identity`)
  return template.segments
}

const issueOf = (entry: IssueDocument, context: GrantContext, problem: Report): IssueEntry =>
  entry.type === 'access_token' ? accessTokenOf(entry, context, problem) : awsCredentialsOf(entry, context, problem)

const accessTokenOf = (
  entry: Extract<IssueDocument, { type: 'access_token' }>,
  context: GrantContext,
  problem: Report,
): IssueEntry => {
  checkAudiences(entry.audience, context.issuerUrl, context, problem)
  if (entry.introspects !== undefined && !entry.scope.includes('introspect'))
    problem(['introspects'], 'introspects is given only with scope introspect')
  return {
    type: 'access_token',
    audiences: entry.audience,
    scope: [...new Set(entry.scope)],
    ttlSeconds: ttlOf(entry.ttl, LIMITS.ttlSecondsDefault, problem),
    alg: entry.alg ?? 'ES256',
    onReplay: entry.on_replay ?? 'alert',
    introspects: entry.introspects ?? null,
  }
}

const awsCredentialsOf = (
  entry: Extract<IssueDocument, { type: 'aws-credentials' }>,
  context: GrantContext,
  problem: Report,
): IssueEntry => {
  const ttlSeconds = ttlOf(entry.ttl, LIMITS.cloudSessionSecondsMin, problem)
  if (ttlSeconds < LIMITS.cloudSessionSecondsMin) problem(['ttl'], 'AWS gives sessions of 15m at least')
  if (!entry.role.includes(`:role/mintmark/t/${context.tenant}/`))
    problem(['role'], `the path of the role must be /mintmark/t/${context.tenant}/`)
  const own = federationAudience(context.issuerUrl, accountOf(entry.role))
  const audiences = entry.audience ?? [own]
  checkAudiences(audiences, own, context, problem)
  return {
    type: 'aws-credentials',
    role: entry.role,
    via: entry.via ?? 'web-identity',
    audiences,
    scope: [],
    ttlSeconds,
  }
}

const ttlOf = (text: string | undefined, defaultSeconds: number, problem: Report): number => {
  const ttlSeconds = text === undefined ? defaultSeconds : secondsOf(text)
  if (ttlSeconds > LIMITS.ttlSecondsMax) problem(['ttl'], `ttl is ${LIMITS.ttlSecondsMax / 3_600}h at most`)
  return ttlSeconds
}

/** `own`: the one audience under the broker's URLs that this kind of credential may have. */
const checkAudiences = (audiences: readonly string[], own: string, context: GrantContext, problem: Report): void => {
  const repeated = audiences.find((audience, index) => audiences.indexOf(audience) !== index)
  if (repeated !== undefined) problem(['audience'], `${repeated} is there twice`)
  audiences.forEach((audience, index) => {
    if (isFederationAudience(audience))
      problem(['audience', index], `${audience} is reserved to cloud federation: no credential here may carry it`)
    else if (audience !== own && isOwnUrl(audience, context))
      problem(['audience', index], `of this broker's own URLs only ${own} can be an audience here`)
  })
}
