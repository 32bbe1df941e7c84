// The linter: what a tenant document may say and its author should think about again (design §5). All of it is advice; what is
// unsafe was refused by compile-tenant.ts. Each warning has a rule, and some rules can be waived on a grant, with a reason. Pure.
import { isFederationIssuer } from '../domain/aws-session.ts'
import type { EventRule } from '../domain/event-subject.ts'
import { templateOf } from '../domain/explain.ts'
import { canBothMatch, isCoveredBy } from '../domain/lint-overlap.ts'
import type { Provider, ProviderCatalog } from '../domain/provider.ts'
import type {
  AwsCredentialsEntry,
  GrantRule,
  IssueEntry,
  IssuerConfig,
  Matcher,
  SetSource,
  TenantConfig,
} from '../domain/tenant-config.ts'
import { UNTRUSTED_TRIGGERS, type WidLeaf } from '../domain/wid.ts'
import { boundValues, type CompiledTenant } from './compile-tenant.ts'
import { unusedKeys } from './inline-keys.ts'
import type { WAIVABLE_RULES } from './tenant-document.ts'
import type { DocumentPath, TenantProblem } from './tenant-problem.ts'

export type LintRule =
  | (typeof WAIVABLE_RULES)[number]
  | 'ambiguous'
  | 'shadowed'
  | 'never_matches'
  | 'wildcard_in_exact_value'
  | 'ambiguous_entries'
  | 'weaker_replay'
  | 'fixed_audience'
  | 'empty_keys'
  | 'unused_key'
  | 'unused_issuer'
  | 'not_issued_here'
  | 'maps_nothing'
  | 'nobody_polls'
  | 'not_acknowledged'

export type LintWarning = TenantProblem & { readonly rule: LintRule }

type Report = (rule: LintRule, path: DocumentPath, message: string) => void

/** Warnings of one tenant that loaded, in the order of its text. */
export const lintTenant = ({ loaded, config }: CompiledTenant, catalog: ProviderCatalog): readonly LintWarning[] => {
  const { document } = loaded
  const warnings: LintWarning[] = []
  const report: Report = (rule, path, message) => {
    const waivers = path[0] === 'grants' ? document.grants[String(path[1])]?.waivers : undefined
    if (rule !== 'untrusted_source' && waivers?.some((waiver) => waiver.rule === rule)) return
    warnings.push({ ...loaded.problemAt(path, message), rule })
  }
  for (const issuer of config.issuers) {
    lintIssuer(issuer, catalog[issuer.provider], config.issuerUrl, report)
    if (!config.grants.some(({ from }) => from === issuer.name))
      report('unused_issuer', ['issuers', issuer.name], 'no grant takes evidence of this issuer')
  }
  for (const grant of config.grants) {
    const issuer = config.issuers.find(({ name }) => name === grant.from)
    if (issuer === undefined) continue
    lintBindings(grant, issuer, catalog[issuer.provider], report)
    lintIssue(grant, config.issuerUrl, report)
    const waiver = document.grants[grant.name]?.waivers?.find(({ rule }) => rule === 'untrusted_source')
    if (grant.untrustedSource === 'allow')
      report(
        'untrusted_source',
        ['grants', grant.name, 'untrusted_source'],
        `foreign code may use this grant; the reason given: ${waiver?.reason ?? ''}`,
      )
  }
  lintPairs(config.grants, report)
  for (const source of config.events) if (source.kind === 'set') lintSetSource(source, report)
  for (const { name, type } of config.receivers)
    if (type === 'poll' && !issuesScope(config, `receive:${name}`))
      report(
        'nobody_polls',
        ['receivers', name],
        `no grant issues scope receive:${name} for ${config.issuerUrl}: nobody can fetch what is kept for this receiver`,
      )
  for (const sink of config.sinks)
    if (sink.type === 'splunk-hec' && !sink.isAcknowledged)
      report(
        'not_acknowledged',
        ['sinks', sink.name, 'acknowledgement'],
        'without indexer acknowledgement what the collector takes and loses is lost',
      )
  return warnings.sort((a, b) => a.line - b.line || a.column - b.column)
}

const issuesScope = ({ grants, issuerUrl }: TenantConfig, scope: string): boolean =>
  grants.some(({ issue }) => issue.some((entry) => entry.audiences.includes(issuerUrl) && entry.scope.includes(scope)))

const lintSetSource = ({ name, keys, rules }: SetSource, report: Report): void => {
  const path = ['events', name]
  if (rules.length === 0)
    report(
      'maps_nothing',
      [...path, 'on'],
      'no event is mapped: whatever this source reports is recorded and revokes nothing',
    )
  rules.forEach((rule, index) => {
    const before = rules.slice(0, index).find((other) => isSameSubject(other, rule))
    if (before !== undefined)
      report(
        'never_matches',
        [...path, 'on', rule.event],
        `an earlier rule of ${rule.event} takes the same subjects: this one never decides`,
      )
  })
  if (keys.kind === 'inline' && Array.isArray(keys.keys) && keys.keys.length === 0)
    report('empty_keys', [...path, 'jwks'], 'the inline key set is empty: nothing this source signs is accepted')
}

const isSameSubject = (a: EventRule, b: EventRule): boolean =>
  a.event === b.event && a.member === b.member && a.subject === b.subject && a.iss === b.iss

const REPLAY_STRENGTH = { reuse: 0, once: 1, proof: 2 } as const

const lintIssuer = (issuer: IssuerConfig, provider: Provider, issuerUrl: string, report: Report): void => {
  const path = ['issuers', issuer.name]
  if (REPLAY_STRENGTH[issuer.replay] < REPLAY_STRENGTH[provider.replay])
    report(
      'weaker_replay',
      [...path, 'replay'],
      `replay ${issuer.replay} is weaker than ${provider.replay}, which ${provider.title} allows: who sees the assertion can use it again`,
    )
  if (!issuer.audience.startsWith(issuerUrl))
    report(
      'fixed_audience',
      [...path, 'fixed_audience'],
      'everyone this platform has tokens for can show them here: bind the project and its ref, and keep ttl short',
    )
  if (issuer.keys.kind === 'inline' && Array.isArray(issuer.keys.keys) && issuer.keys.keys.length === 0)
    report('empty_keys', [...path, 'jwks'], 'the inline key set is empty: nothing this issuer signs is accepted')
  if (issuer.keys.kind === 'inline')
    for (const { index, says } of unusedKeys(issuer.keys, issuer.algorithms))
      report('unused_key', [...path, 'jwks', 'inline', 'keys', index], says)
}

const lintBindings = (grant: GrantRule, issuer: IssuerConfig, provider: Provider, report: Report): void => {
  const path = ['grants', grant.name]
  const reusable = boundValues(grant, provider.workloadLeaf).filter(
    (value) => provider.workloadReusable === true || provider.isReusableWorkload?.(value) === true,
  )
  if (reusable[0] !== undefined)
    report(
      'reusable_workload',
      [...path, 'match', provider.workloadLeaf],
      `${JSON.stringify(reusable[0])} is a name that can be given up and taken by somebody else; ${provider.workloadReusable ? 'this platform has nothing better' : 'bind the id'}`,
    )
  const isBound = (leaf: WidLeaf) =>
    grant.conditions.some((condition) => condition.leaf === leaf && condition.matcher.kind !== 'not') ||
    (leaf === provider.tenancyLeaf && issuer.orgIds !== null)
  for (const { leaves, says } of provider.advice) if (!leaves.some(isBound)) report('advice', [...path, 'match'], says)
  for (const { leaf, matcher } of grant.conditions) {
    if (!canBeFilled(leaf, issuer, provider))
      report(
        'never_matches',
        [...path, 'match', leaf],
        `${provider.title} never says ${leaf}: this grant matches nothing`,
      )
    if (grant.untrustedSource === 'deny' && isOnlyUntrusted(leaf, matcher))
      report(
        'never_matches',
        [...path, 'match', leaf],
        'foreign code may be running in every run it names: this grant matches nothing without untrusted_source: allow',
      )
    const exact = matcher.kind === 'equals' ? [matcher.value] : matcher.kind === 'any_of' ? matcher.values : []
    const starred = exact.find((value) => typeof value === 'string' && value.includes('*'))
    if (starred !== undefined)
      report(
        'wildcard_in_exact_value',
        [...path, 'match', leaf],
        `"*" in an exact value matches only itself; a pattern is { glob: ${JSON.stringify(starred)} }`,
      )
  }
  const empty = grant.identity.flat().find((part) => 'leaf' in part && !canBeFilled(part.leaf, issuer, provider))
  if (empty !== undefined && 'leaf' in empty)
    report(
      'never_matches',
      [...path, 'identity'],
      `${provider.title} never says ${empty.leaf}: ${templateOf(grant)} never becomes an identity`,
    )
}

/** Whether a line lets through no trigger class but those in which foreign code may run. */
const isOnlyUntrusted = (leaf: WidLeaf, matcher: Matcher): boolean => {
  const named = matcher.kind === 'equals' ? [matcher.value] : matcher.kind === 'any_of' ? matcher.values : []
  return leaf === 'trigger.class' && named.length > 0 && named.every((value) => UNTRUSTED_TRIGGERS.has(String(value)))
}

const ALWAYS_FILLED: ReadonlySet<WidLeaf> = new Set(['provider', 'issuer', 'untrusted_source', 'assurance'])

const canBeFilled = (leaf: WidLeaf, issuer: IssuerConfig, provider: Provider): boolean =>
  ALWAYS_FILLED.has(leaf) ||
  provider.leaves[leaf] !== undefined ||
  issuer.mapping.some((mapped) => mapped.leaf === leaf) ||
  (leaf === 'trigger.class' && provider.triggers !== null)

const lintIssue = (grant: GrantRule, issuerUrl: string, report: Report): void => {
  grant.issue.forEach((entry, index) => {
    const path = ['grants', grant.name, 'issue', index]
    if (entry.type === 'aws-credentials') {
      lintSession(entry, issuerUrl, path, report)
    } else if (entry.scope.includes('introspect') && entry.introspects === null && entry.audiences.includes(issuerUrl))
      report(
        'whole_tenant_introspect',
        [...path, 'scope'],
        'the holder may ask about every token of the tenant: list the audiences it needs with introspects',
      )
    const shared = grant.issue.slice(0, index).flatMap((other) => sharedAudience(other, entry) ?? [])[0]
    if (shared !== undefined)
      report(
        'ambiguous_entries',
        path,
        entry.type === 'access_token'
          ? `two entries of this grant issue for ${shared}: a request must name a scope that only one of them has`
          : `two roles of this grant have the audience ${shared}: give each an audience of its own`,
      )
  })
}

const lintSession = (entry: AwsCredentialsEntry, issuerUrl: string, path: DocumentPath, report: Report): void => {
  if (entry.via === 'assume-role')
    report(
      'not_issued_here',
      [...path, 'via'],
      'assume-role needs credentials of AWS: only the AWS target has them; web-identity is issued by every broker',
    )
  else if (!isFederationIssuer(issuerUrl))
    report(
      'not_issued_here',
      path,
      `AWS takes the tokens of https issuers without a port only: a broker at ${issuerUrl} issues no aws-credentials`,
    )
}

const sharedAudience = (a: IssueEntry, b: IssueEntry): string | null =>
  a.audiences.find((audience) => b.audiences.includes(audience)) ?? null

/** Two enforced grants that one request could mean: denied as ambiguous at run time, so found here first. */
const lintPairs = (grants: readonly GrantRule[], report: Report): void => {
  const enforced = grants.filter(({ mode }) => mode === 'enforce')
  enforced.forEach((grant, index) => {
    for (const other of enforced.slice(0, index)) {
      if (other.from !== grant.from || !canBothMatch(other, grant)) continue
      const audience = other.issue.flatMap((a) => grant.issue.flatMap((b) => sharedAudience(a, b) ?? []))[0]
      if (audience === undefined) continue
      const path = ['grants', grant.name]
      if (covers(other, grant))
        report(
          'shadowed',
          path,
          `"${other.name}" matches wherever this grant does and issues for the same audiences: this one is reached only by name (grant=${grant.name})`,
        )
      else if (covers(grant, other))
        report(
          'shadowed',
          path,
          `this grant matches wherever "${other.name}" does and issues for the same audiences: that one is reached only by name (grant=${other.name})`,
        )
      else
        report(
          'ambiguous',
          path,
          `a workload can match this grant and "${other.name}", and both issue for ${audience}: such a request is denied unless it names one of them with grant=`,
        )
    }
  })
}

const covers = (wide: GrantRule, narrow: GrantRule): boolean =>
  isCoveredBy(narrow, wide) &&
  narrow.issue.every((entry) =>
    entry.audiences.every((audience) => wide.issue.some((other) => other.audiences.includes(audience))),
  )
