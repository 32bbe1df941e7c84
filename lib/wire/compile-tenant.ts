// A loaded document becomes a TenantConfig, or the list of everything wrong with it (design §5: what is refused at load).
// Only here is a document given meaning; what passes is safe to decide on. Pure: hashing arrives as an argument.
import { parseEgressUrl, RECEIVER_URLS } from '../domain/egress.ts'
import { identityCollisions } from '../domain/identity-collision.ts'
import type { ProviderCatalog } from '../domain/provider.ts'
import type { GrantRule, IssuerConfig, TenantConfig } from '../domain/tenant-config.ts'
import { compileEvents } from './compile-events.ts'
import { compileGrant } from './compile-grant.ts'
import { compileIssuer } from './compile-issuer.ts'
import { compileSinks } from './compile-sinks.ts'
import type { TenantDocument } from './tenant-document.ts'
import type { DocumentPath, LoadedTenant, TenantProblem } from './tenant-problem.ts'
import { type BrokerPlace, outboundUrlProblem, secretProblem, tenantIssuerUrl } from './tenant-urls.ts'

const DAY_SECONDS = 24 * 3600

export type CompileOptions = BrokerPlace & {
  readonly catalog: ProviderCatalog
  readonly version: number
  /** SHA-256 of UTF-8 text, base64url. */
  readonly sha256: (text: string) => string
}

/** A tenant that may be applied: its configuration, and the text it came from for rules that look further. */
export type CompiledTenant = { readonly loaded: LoadedTenant; readonly config: TenantConfig }

export type CompileResult =
  | { readonly ok: true; readonly tenant: CompiledTenant }
  | { readonly ok: false; readonly problems: readonly TenantProblem[] }

/** The document as JSON, in its own order: what is stored, compared and hashed. It is itself a document. */
export const canonicalDocument = (document: TenantDocument): string => JSON.stringify(document)

/** All the load rules of one tenant; those over all tenants are in check-tenants.ts. Every problem has its place. */
export const compileTenant = (loaded: LoadedTenant, options: CompileOptions): CompileResult => {
  const { document } = loaded
  const problems: TenantProblem[] = []
  const problem = (path: DocumentPath, message: string) => void problems.push(loaded.problemAt(path, message))
  const issuerUrl = tenantIssuerUrl(options.baseUrl, document.tenant)
  const place = { ...options, tenant: document.tenant, issuerUrl, problem }

  const issuers = Object.entries(document.issuers).flatMap(([name, entry]) => compileIssuer(name, entry, place) ?? [])
  checkIssUnique(issuers, problem)
  const grants = Object.entries(document.grants).flatMap(([name, entry]) => {
    const issuer = issuers.find((candidate) => candidate.name === entry.from)
    if (issuer !== undefined)
      return compileGrant(name, entry, { ...place, issuer, provider: options.catalog[issuer.provider] })
    if (!Object.hasOwn(document.issuers, entry.from))
      problem(['grants', name, 'from'], `there is no issuer "${entry.from}"`)
    return []
  })
  for (const { grant, other, path } of identityCollisions(
    grants,
    issuers,
    ({ provider }) => options.catalog[provider].workloadLeaf,
  ))
    problem(['grants', grant, 'identity'], collisionMessage(grant, other, path))
  checkAudienceKinds(grants, problem)
  const events = compileEvents(document.events ?? {}, { ...place, issuers, grants })
  const sinks = compileSinks(document.sinks ?? {}, place)
  checkOtherSections(document, place)
  if (problems.length > 0) return { ok: false, problems: inOrder(problems) }

  const config: TenantConfig = {
    tenant: document.tenant,
    version: options.version,
    digest: options.sha256(canonicalDocument(document)),
    trustDomain: document.trust_domain,
    tier: document.tier ?? 'pooled',
    issuerUrl,
    issuers: issuers.map((issuer) => withGrantTenancy(issuer, grants, options.catalog)),
    grants,
    events,
    receivers: Object.entries(document.receivers ?? {}).map(([name, receiver]) =>
      receiver.type === 'poll'
        ? { name, type: receiver.type }
        : { name, type: receiver.type, url: receiver.url, authorization: receiver.authorization?.file ?? null },
    ),
    auditKeepSeconds: document.audit === undefined ? null : document.audit.keep_days * DAY_SECONDS,
    sinks,
  }
  return { ok: true, tenant: { loaded, config } }
}

const checkIssUnique = (
  issuers: readonly IssuerConfig[],
  problem: (path: DocumentPath, message: string) => void,
): void => {
  issuers.forEach((issuer, index) => {
    const twin = issuers.slice(0, index).find((other) => other.issuer === issuer.issuer)
    if (twin !== undefined)
      problem(
        ['issuers', issuer.name],
        `issuer "${twin.name}" has the same iss: evidence could not tell which is meant`,
      )
  })
}

/** An audience belongs to one kind of credential: what is shown there is never mistaken for another (design §5). */
const checkAudienceKinds = (
  grants: readonly GrantRule[],
  problem: (path: DocumentPath, message: string) => void,
): void => {
  const kinds = new Map<string, string>()
  for (const grant of grants)
    grant.issue.forEach(({ type, audiences }, index) => {
      for (const audience of audiences) {
        const kind = kinds.get(audience) ?? type
        kinds.set(audience, kind)
        if (kind !== type)
          problem(
            ['grants', grant.name, 'issue', index],
            `${audience} is the audience of ${kind} in this tenant: it cannot be that of ${type} too`,
          )
      }
    })
}

/** Where the tenancy claim is the project id itself (gcp), the tenant is those the grants name (design §5). */
const withGrantTenancy = (
  issuer: IssuerConfig,
  grants: readonly GrantRule[],
  catalog: ProviderCatalog,
): IssuerConfig => {
  const { tenancyLeaf } = catalog[issuer.provider]
  return tenancyLeaf === 'org.id'
    ? issuer
    : {
        ...issuer,
        orgIds: [
          ...new Set(
            grants.filter(({ from }) => from === issuer.name).flatMap((grant) => boundValues(grant, tenancyLeaf)),
          ),
        ],
      }
}

/** The exact values a grant binds a leaf to. */
export const boundValues = (grant: GrantRule, leaf: string): readonly string[] =>
  grant.conditions.flatMap((condition) => {
    if (condition.leaf !== leaf) return []
    if (condition.matcher.kind === 'any_of') return condition.matcher.values
    return condition.matcher.kind === 'equals' ? [String(condition.matcher.value)] : []
  })

const collisionMessage = (grant: string, other: string, path: string): string => {
  const who =
    grant === other ? 'two workloads of this grant' : `a workload of this grant and another of grant "${other}"`
  return `${who} could both be ${path}: put {project.id}, or a name of its own, into the identity`
}

type SectionContext = BrokerPlace & {
  readonly tenant: string
  readonly problem: (path: DocumentPath, message: string) => void
}

/** Sections this version accepts and does not act on are checked all the same: what is reviewed now is safe later. */
const checkOtherSections = (document: TenantDocument, context: SectionContext): void => {
  const { problem, tenant } = context
  const checkUrl = (path: DocumentPath, url: string) => {
    const wrong = outboundUrlProblem(url, context)
    if (wrong !== null) problem(path, `the URL ${wrong}`)
  }
  const checkSecret = (path: DocumentPath, secret: { file: string } | undefined) => {
    const wrong = secretProblem(secret, tenant)
    if (wrong !== null) problem([...path, 'file'], wrong)
  }
  for (const [name, receiver] of Object.entries(document.receivers ?? {})) {
    if (receiver.type !== 'webhook') continue
    const path = ['receivers', name, 'url']
    checkUrl(path, receiver.url)
    if (!parseEgressUrl(receiver.url, { dev: context.dev, ...RECEIVER_URLS }).ok)
      problem(path, 'the URL is none the broker calls: its host must be a name, and plainly written')
    checkSecret(['receivers', name, 'authorization'], receiver.authorization)
  }
}

const inOrder = (problems: readonly TenantProblem[]): TenantProblem[] =>
  [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
