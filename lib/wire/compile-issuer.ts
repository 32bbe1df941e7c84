// One entry of `issuers:` with its preset becomes an IssuerConfig, or the reasons why not (design §5; issuers.md §0.1, 0.2,
// 0.5, 0.9, 0.10). Pure.

import type { JsonValue } from '../domain/claims.ts'
import type { KeySource } from '../domain/key-source.ts'
import { LIMITS } from '../domain/limits.ts'
import { isMappable } from '../domain/normalize.ts'
import type { Provider, ProviderCatalog, SignatureAlgorithm } from '../domain/provider.ts'
import type { IssuerConfig } from '../domain/tenant-config.ts'
import type { WidLeaf } from '../domain/wid.ts'
import { secondsOf } from './duration.ts'
import type { IssuerDocument } from './tenant-document.ts'
import type { DocumentPath } from './tenant-problem.ts'
import { type BrokerPlace, discoveryProblem, isLoopbackUrl, isOwnUrl, keyUrlProblem } from './tenant-urls.ts'

export type IssuerContext = BrokerPlace & {
  readonly tenant: string
  readonly issuerUrl: string
  readonly catalog: ProviderCatalog
  readonly problem: (path: DocumentPath, message: string) => void
}

const FIXED_AUDIENCE_AGE_SECONDS = 120

/** Audiences of cloud federation: evidence and tokens for them belong to their kind of credential (design §5, Audience). */
export const isFederationAudience = (audience: string): boolean =>
  /^(?:https:\/\/)?sts\.amazonaws\.com\/?$/.test(audience) ||
  audience === 'api://AzureADTokenExchange' ||
  /^(?:https:)?\/\/iam\.googleapis\.com\//.test(audience)

/** Reports every problem; null when `iss` itself is unusable. A config with problems is never used. */
export const compileIssuer = (name: string, document: IssuerDocument, context: IssuerContext): IssuerConfig | null => {
  const problem = (path: DocumentPath, message: string) => context.problem(['issuers', name, ...path], message)
  const provider = context.catalog[document.provider]
  const issuer = document.issuer ?? provider.issuer.exact
  if (issuer === undefined) {
    problem(['provider'], `the ${provider.name} preset needs "issuer": ${provider.issuer.form}`)
    return null
  }
  const issuerProblem = issuerUrlProblem(issuer, provider, context)
  if (issuerProblem !== null) problem([document.issuer === undefined ? 'provider' : 'issuer'], issuerProblem)
  const audience = audienceOf(document, issuer, provider, context, problem)
  const mapping = mappingOf(document, provider, problem)
  return {
    name,
    provider: provider.name,
    issuer,
    audience,
    algorithms: algorithmsOf(document, issuer, provider, problem),
    typ: provider.typ ?? [],
    headerMembers: provider.headerMembers ?? [],
    maxAgeSeconds: maxAgeOf(document, provider, problem),
    lifetimeSecondsMax: provider.lifetimeSecondsMax ?? null,
    iatOptional: provider.iatOptional ?? false,
    replay: replayOf(document, provider, problem),
    orgIds: orgIdsOf(document, issuer, provider, mapping, problem),
    keys: keysOf(name, document, issuer, provider, context, problem),
    mapping,
  }
}

type Report = (path: DocumentPath, message: string) => void

const issuerUrlProblem = (issuer: string, provider: Provider, context: IssuerContext): string | null => {
  if (isOwnUrl(issuer, context))
    return "this issuer is under this broker's own base URL: our own tokens are not evidence"
  const owner = Object.values(context.catalog).find((preset) => preset.issuer.owns(issuer))
  if (owner !== undefined && owner.name !== provider.name)
    return `this issuer belongs to the ${owner.name} preset: write provider: ${owner.name}`
  if (provider.issuer.accepts(issuer) || (context.dev && isLoopbackUrl(issuer))) return null
  return `the ${provider.name} preset does not accept this issuer; its form is: ${provider.issuer.form}`
}

const audienceOf = (
  document: IssuerDocument,
  issuer: string,
  provider: Provider,
  { issuerUrl }: IssuerContext,
  problem: Report,
): string => {
  if (document.fixed_audience === 'accept') {
    if (document.reason === undefined) problem(['fixed_audience'], 'fixed_audience: accept needs a reason beside it')
    const fixed = provider.fixedAudience?.(issuer)
    if (fixed !== undefined && document.audience !== undefined && document.audience !== fixed)
      problem(['audience'], `the audience of this platform is fixed: it is ${fixed}`)
    const audience = document.audience ?? fixed
    if (audience === undefined) problem(['fixed_audience'], 'name the fixed audience with "audience"')
    return audience ?? issuerUrl
  }
  if (document.reason !== undefined) problem(['reason'], 'a reason is given only with fixed_audience: accept')
  if (provider.audience === 'fixed') {
    problem(
      ['provider'],
      `the audience of ${provider.title} is the same for everyone who accepts its tokens: this needs fixed_audience: accept and a reason`,
    )
    return document.audience ?? issuerUrl
  }
  const audience = document.audience ?? issuerUrl
  if (provider.defaultAudiences?.(audience) || isFederationAudience(audience))
    problem(
      ['audience'],
      `${audience} is a default audience that others accept too: leave "audience" out, or write fixed_audience: accept with a reason`,
    )
  else if (audience !== issuerUrl && !audience.startsWith(`${issuerUrl}/`) && !audience.startsWith(`${issuerUrl}#`))
    problem(['audience'], `the audience must be ${issuerUrl}, or begin with it and "/" or "#"`)
  else if (audience.includes('#jkt='))
    problem(['audience'], '"#jkt=" is what a DPoP-bound assertion adds by itself: leave it out')
  return audience
}

const algorithmsOf = (
  document: IssuerDocument,
  issuer: string,
  provider: Provider,
  problem: Report,
): readonly SignatureAlgorithm[] => {
  if (document.algorithms === undefined) return provider.algorithms
  document.algorithms.forEach((algorithm, index) => {
    if (provider.issuer.owns(issuer) && !provider.algorithms.includes(algorithm))
      problem(
        ['algorithms', index],
        `${provider.title} does not sign with ${algorithm}: ${provider.algorithms.join(', ')}`,
      )
  })
  return document.algorithms
}

const maxAgeOf = (document: IssuerDocument, provider: Provider, problem: Report): number => {
  const isFixed = document.fixed_audience === 'accept'
  // Only the presets that know nothing of a platform let the operator say more than ten minutes.
  const most = isFixed
    ? FIXED_AUDIENCE_AGE_SECONDS
    : provider.name === 'generic' || provider.name === 'jenkins'
      ? LIMITS.ttlSecondsMax
      : provider.maxAgeSeconds
  if (document.max_age === undefined) return Math.min(provider.maxAgeSeconds, most)
  const seconds = secondsOf(document.max_age)
  if (seconds > most)
    problem(
      ['max_age'],
      isFixed
        ? `with a fixed audience evidence is accepted for ${most} s at most`
        : `the ${provider.name} preset accepts evidence for ${most} s at most`,
    )
  return seconds
}

const replayOf = (document: IssuerDocument, provider: Provider, problem: Report) => {
  if (document.fixed_audience !== 'accept') return document.replay ?? provider.replay
  if (document.replay !== undefined && document.replay !== 'once')
    problem(['replay'], 'with a fixed audience replay must be once')
  return 'once'
}

const mappingOf = (document: IssuerDocument, provider: Provider, problem: Report): IssuerConfig['mapping'] =>
  Object.entries(document.claims ?? {}).map(([key, claim]) => {
    const leaf = key as WidLeaf
    if (!isMappable(provider, leaf))
      problem(['claims', leaf], `${leaf} cannot be mapped: the ${provider.name} preset or the broker itself fills it`)
    const path = typeof claim === 'string' ? [claim] : (claim ?? [])
    if (isOfCaller(provider, path))
      problem(
        ['claims', leaf],
        `${path.join(' › ')} is whatever the caller of ${provider.title} wrote: it cannot be mapped`,
      )
    return { leaf, claim: path }
  })

/** A claim the preset gives no grant would come back through the mapping of another leaf. */
const isOfCaller = (provider: Provider, claim: readonly string[]): boolean => {
  const own = Object.values(provider.leaves).flatMap((source) =>
    source.mutability === 'caller' && 'claim' in source ? [source.claim] : [],
  )
  return [...own, ...(provider.callerClaims ?? [])].some((begin) => begin.every((name, at) => claim[at] === name))
}

/** P3: the shared issuer's tenancy claim. For gcp the leaf is project.id, and the grants name it (compile-tenant.ts). */
const orgIdsOf = (
  document: IssuerDocument,
  issuer: string,
  provider: Provider,
  mapping: IssuerConfig['mapping'],
  problem: Report,
): readonly string[] | null => {
  const ids =
    document.org_id === undefined ? null : typeof document.org_id === 'string' ? [document.org_id] : document.org_id
  if (provider.tenancyLeaf !== 'org.id') {
    if (ids !== null)
      problem(
        ['org_id'],
        `for ${provider.name} the ${provider.tenancyLeaf} of each grant is the tenancy claim: leave org_id out`,
      )
    return []
  }
  if (ids === null) {
    if (provider.issuer.shared(issuer))
      problem([], `${issuer} signs for every customer of ${provider.title}: org_id must name yours`)
    return null
  }
  const source = provider.leaves['org.id']
  if (source !== undefined && 'issuer' in source)
    problem(['org_id'], 'this issuer signs for one customer only: leave org_id out')
  else if (source === undefined && !mapping.some(({ leaf }) => leaf === 'org.id'))
    problem(['org_id'], 'no claim fills org.id: name it with claims: { org.id: … }')
  return ids
}

const keysOf = (
  name: string,
  document: IssuerDocument,
  issuer: string,
  provider: Provider,
  context: IssuerContext,
  problem: Report,
): KeySource => {
  const { jwks } = document
  const spiffe = provider.name === 'spiffe' ? ({ spiffe: true } as const) : {}
  if (jwks !== undefined && 'inline' in jwks) {
    const keys = jwks.inline.keys as unknown as JsonValue
    return { kind: 'inline', keys, tenant: context.tenant, issuerName: name, ...spiffe }
  }
  if (provider.keysInlineOnly?.(issuer))
    problem(['jwks'], 'many clusters have this issuer: only an inline key set (jwks: { inline: … }) tells them apart')
  if (jwks !== undefined && 'url' in jwks) {
    const wrong = keyUrlProblem(jwks.url, context)
    if (wrong !== null) problem(['jwks', 'url'], `the key set URL ${wrong}`)
    return { kind: 'url', url: jwks.url, issuer, ...spiffe }
  }
  const preset = jwks === undefined ? provider.jwksUrl?.(issuer) : undefined
  if (preset !== undefined) return { kind: 'url', url: preset, issuer, ...spiffe }
  if (!/^https?:/.test(issuer))
    problem(['issuer'], 'there is no discovery for this issuer: name its keys with jwks: { url: … } or { inline: … }')
  else {
    const wrong = discoveryProblem(issuer, context)
    if (wrong !== null)
      problem(
        ['issuer'],
        `the URL its keys are discovered at ${wrong}; or name them with jwks: { url: … } or { inline: … }`,
      )
  }
  return { kind: 'discovery', issuer, jwksHosts: provider.jwksHosts ?? [], ...spiffe }
}
