// The decision (design §5): every condition of every candidate grant is evaluated and kept, then exactly one grant is chosen
// or none. Never "the first that matches": order in the document means nothing. A null leaf matches nothing, `not` included
// (A28). Same inputs, same answer. Pure.
import { matchesGlob } from './glob.ts'
import type { Verdicts } from './grant-record.ts'
import { identityPath } from './identity-template.ts'
import { refuse } from './refusal.ts'
import { ok, type Result } from './result.ts'
import type { GrantRule, IssueEntry, Matcher, TenantConfig } from './tenant-config.ts'
import type { Wid, WidValue } from './wid.ts'

/** One grant judged against one workload. */
export type GrantEvaluation = {
  readonly grant: GrantRule
  /** One for each condition, in document order. */
  readonly results: readonly boolean[]
  /** No foreign code, or the grant allows it. */
  readonly untrustedOk: boolean
  /** Path of the SPIFFE ID; null when a segment is null or unusable. */
  readonly identity: string | null
  /** All conditions and the untrusted rule hold: the grant matches. A matching grant without identity denies. */
  readonly holds: boolean
}

/** What a request asks for. null: it did not say. */
export type Target = {
  readonly type: IssueEntry['type']
  readonly audience: string | null
  readonly scope: readonly string[] | null
  readonly grant: string | null
}

export type Choice = {
  readonly grant: GrantRule
  readonly entry: IssueEntry
  readonly audience: string
  /** What was asked for, or all that the entry issues. */
  readonly scope: readonly string[]
  /** Begins with `/`. */
  readonly identityPath: string
}

/** Judges every grant that takes evidence of this issuer. No short-circuit: an operator sees all reasons, and time tells none. */
export const evaluateGrants = (config: TenantConfig, issuerName: string, wid: Wid): readonly GrantEvaluation[] => {
  const evaluations: GrantEvaluation[] = []
  for (const grant of config.grants) {
    if (grant.from !== issuerName) continue
    const results: boolean[] = []
    let isEach = true
    for (const { leaf, matcher } of grant.conditions) {
      const result = matches(matcher, wid[leaf])
      results.push(result)
      isEach &&= result
    }
    const untrustedOk = wid.untrusted_source === false || grant.untrustedSource === 'allow'
    const identity = identityPath(grant.identity, wid)
    evaluations.push({ grant, results, untrustedOk, identity, holds: isEach && untrustedOk })
  }
  return evaluations
}

/** Whether a leaf satisfies a matcher: type-strict, case-sensitive, and never for null (issuers.md §0.7). */
export const matches = (matcher: Matcher, value: WidValue | undefined): boolean => {
  if (value === null || value === undefined) return false
  switch (matcher.kind) {
    case 'equals':
      return value === matcher.value
    case 'any_of':
      return typeof value === 'string' && matcher.values.includes(value)
    case 'glob':
      return typeof value === 'string' && matchesGlob(matcher.parts, value)
    case 'not':
      return !matches(matcher.matcher, value)
  }
}

/** For the record: each condition in document order, then the untrusted rule, then whether an identity could be made. */
export const verdictsOf = (evaluations: readonly GrantEvaluation[]): Verdicts => {
  const verdicts: Record<string, string> = {}
  for (const { grant, results, untrustedOk, identity } of evaluations) {
    let text = ''
    for (const result of results) text += result ? '1' : '0'
    verdicts[grant.name] = `${text}${untrustedOk ? '1' : '0'}${identity === null ? '0' : '1'}`
  }
  return verdicts
}

/**
 * Exactly one grant, one entry, one audience, or a refusal. Report grants do not exist here. Refuses: no_grant_matches,
 * grant_not_found, target_unknown, target_ambiguous, scope_exceeds_grant, identity_invalid. Design §3 "No oracle", §5 end.
 */
export const chooseGrant = (evaluations: readonly GrantEvaluation[], target: Target): Result<Choice> => {
  const matching = evaluations.filter(({ grant, holds }) => holds && grant.mode === 'enforce')
  if (matching.length === 0) return refuse('no_grant_matches', { candidates: evaluations.length })
  const named = target.grant === null ? matching : matching.filter(({ grant }) => grant.name === target.grant)
  if (named.length === 0) return refuse('grant_not_found', { grant: String(target.grant).slice(0, 128) })

  const offers = offersOf(named, target)
  if (offers.length === 0) return refuse('target_unknown', { audience: target.audience?.slice(0, 512) ?? null })
  // Without a target only "the only audience of the only matching grant" is meant.
  if (target.audience === null && (named.length > 1 || offers.length > 1))
    return refuse('target_ambiguous', { grants: named.length, audiences: offers.length })

  const { scope } = target
  const serving =
    scope === null ? offers : offers.filter(({ entry }) => scope.every((one) => entry.scope.includes(one)))
  const [only, second] = serving
  if (only === undefined) return refuse('scope_exceeds_grant', { grants: namesOf(offers) })
  if (second !== undefined) return refuse('target_ambiguous', { grants: namesOf(serving) })
  const { evaluation, entry, audience } = only
  if (evaluation.identity === null) return refuse('identity_invalid', { grant: evaluation.grant.name })
  return ok({
    grant: evaluation.grant,
    entry,
    audience,
    scope: scope ?? entry.scope,
    identityPath: evaluation.identity,
  })
}

type Offer = { readonly evaluation: GrantEvaluation; readonly entry: IssueEntry; readonly audience: string }

/** What the grants could issue of this kind for this audience; for null, for every audience. */
const offersOf = (named: readonly GrantEvaluation[], { type, audience }: Target): Offer[] => {
  const offers: Offer[] = []
  for (const evaluation of named) {
    for (const entry of evaluation.grant.issue) {
      if (entry.type !== type) continue
      for (const one of entry.audiences)
        if (audience === null || one === audience) offers.push({ evaluation, entry, audience: one })
    }
  }
  return offers
}

const namesOf = (offers: readonly Offer[]): string => offers.map(({ evaluation }) => evaluation.grant.name).join(' ')
