// `events:` of a tenant document becomes event sources, or the reasons why not (design §5): who may report what, and what of
// the tenant it revokes. What could never become a predicate is refused here, before anybody reports it. Pure.
import { accountOf } from '../domain/aws-session.ts'
import type { JsonValue } from '../domain/claims.ts'
import { type EventRule, SUBJECT_FORMATS, type SubjectFormat } from '../domain/event-subject.ts'
import type { KeySource } from '../domain/key-source.ts'
import type { SignatureAlgorithm } from '../domain/provider.ts'
import { REVOCATION_KINDS, type RevocationKind } from '../domain/revocation.ts'
import type { SecurityEventName } from '../domain/security-event.ts'
import type {
  AwsSource,
  EventSource,
  GithubSource,
  GrantRule,
  IssuerConfig,
  LeakSource,
  SetSource,
} from '../domain/tenant-config.ts'
import type {
  AwsSourceDocument,
  EventSourceDocument,
  GithubSourceDocument,
  LeakSourceDocument,
  SetSourceDocument,
} from './event-document.ts'
import type { DocumentPath } from './tenant-problem.ts'
import {
  type BrokerPlace,
  discoveryProblem,
  isOwnUrl,
  keyUrlProblem,
  outboundUrlProblem,
  secretProblem,
} from './tenant-urls.ts'

type EventsContext = BrokerPlace & {
  readonly tenant: string
  readonly issuerUrl: string
  /** Those of the tenant that compiled. */
  readonly issuers: readonly IssuerConfig[]
  readonly grants: readonly GrantRule[]
  readonly problem: (path: DocumentPath, message: string) => void
}

const ALGORITHMS_DEFAULT: readonly SignatureAlgorithm[] = ['RS256', 'PS256', 'ES256']

export const compileEvents = (
  documents: Readonly<Record<string, EventSourceDocument>>,
  context: EventsContext,
): EventSource[] => {
  const sources: EventSource[] = []
  for (const [name, document] of Object.entries(documents)) {
    const problem: Report = (path, message) => context.problem(['events', name, ...path], message)
    if ('type' in document) {
      const source = compileTyped(name, document, context, problem)
      // Nothing in what is reported says which of two is meant.
      if (source.kind !== 'github' && sources.some(({ kind }) => kind === source.kind))
        problem([], `one source of type ${document.type} is enough`)
      sources.push(source)
    } else {
      const source = compileSet(name, document, context, problem)
      const twin = sources.find((other) => other.kind === 'set' && other.issuer === source.issuer)
      if (twin !== undefined)
        problem(['issuer'], `source "${twin.name}" has the same iss: nobody could tell which is meant`)
      sources.push(source)
    }
  }
  return sources
}

type Report = (path: DocumentPath, message: string) => void

const compileTyped = (
  name: string,
  document: Exclude<EventSourceDocument, SetSourceDocument>,
  context: EventsContext,
  problem: Report,
): EventSource => {
  switch (document.type) {
    case 'github':
      return compileGithub(name, document, context, problem)
    case 'aws':
      return compileAws(name, document, context, problem)
    case 'github-partner':
      return compileLeaks(name, document, context, problem)
  }
}

const GITHUB_API = 'https://api.github.com'

const compileLeaks = (
  name: string,
  { keys_url: url = `${GITHUB_API}/meta/public_keys/secret_scanning` }: LeakSourceDocument,
  context: EventsContext,
  problem: Report,
): LeakSource => {
  const wrong = keyUrlProblem(url, context)
  if (wrong !== null) problem(['keys_url'], `the URL ${wrong}`)
  return { kind: 'leaks', name, keys: { kind: 'url', url, issuer: GITHUB_API, github: true } }
}

/** The projects of GitHub are its repositories, so only an issuer of that platform can be meant. */
const compileGithub = (
  name: string,
  document: GithubSourceDocument,
  { issuers, tenant }: EventsContext,
  problem: Report,
): GithubSource => {
  const ofGithub = issuers.filter(({ provider }) => provider === 'github')
  const named = document.issuer ?? (ofGithub.length === 1 ? ofGithub[0]?.name : undefined)
  const issuer = ofGithub.find((candidate) => candidate.name === named)
  if (issuer === undefined)
    problem(
      document.issuer === undefined ? [] : ['issuer'],
      named === undefined
        ? 'write issuer: <one of issuers: with provider github>'
        : `"${named}" is no issuer of GitHub`,
    )
  const wrong = secretProblem(document.secret, tenant)
  if (wrong !== null) problem(['secret', 'file'], wrong)
  return {
    kind: 'github',
    name,
    secret: document.secret.file,
    secretTypes: document.secret_types,
    issuer: issuer?.name ?? '',
    owners: issuer?.orgIds ?? null,
    form: document.action ?? 'block',
  }
}

const compileAws = (
  name: string,
  { min_severity: leastSeverity = 'high', calls = [], revoke = 'credential', action = 'block' }: AwsSourceDocument,
  { grants }: EventsContext,
  problem: Report,
): AwsSource => {
  if (action === 'cut' && REVOCATION_KINDS[revoke].always === 'block')
    problem(['action'], `${revoke} is always a block`)
  const roles = grants.flatMap(({ issue }) =>
    issue.flatMap((entry) => (entry.type === 'aws-credentials' ? entry.role : [])),
  )
  if (roles.length === 0)
    problem([], 'no grant issues aws-credentials: no finding could be about a session of this tenant')
  const accounts = [...new Set(roles.map(accountOf))]
  return { kind: 'aws', name, accounts, leastSeverity, calls, revoke, form: action }
}

const compileSet = (name: string, document: SetSourceDocument, context: EventsContext, problem: Report): SetSource => {
  const { issuer } = document
  const wrong = isOwnUrl(issuer, context)
    ? "is under this broker's own base URL: what it says itself is no news"
    : outboundUrlProblem(issuer, context)
  if (wrong !== null) problem(['issuer'], `this issuer ${wrong}`)
  const secretWrong = secretProblem(document.authorization, context.tenant)
  if (secretWrong !== null) problem(['authorization', 'file'], secretWrong)
  return {
    kind: 'set',
    name,
    issuer,
    audience: audienceOf(document, context, problem),
    algorithms: document.algorithms ?? ALGORITHMS_DEFAULT,
    keys: keysOf(name, document, context, problem),
    authorization: document.authorization?.file ?? null,
    rules: Object.entries(document.on).flatMap(([event, rules]) =>
      [rules ?? []]
        .flat()
        .map((rule, index) =>
          compileRule(event as SecurityEventName, rule, context, (path, message) =>
            problem(['on', event, ...(Array.isArray(rules) ? [index] : []), ...path], message),
          ),
        ),
    ),
  }
}

const audienceOf = ({ audience }: SetSourceDocument, { issuerUrl }: EventsContext, problem: Report): string => {
  if (audience === undefined) return `${issuerUrl}/events`
  if (audience !== issuerUrl && !audience.startsWith(`${issuerUrl}/`) && !audience.startsWith(`${issuerUrl}#`))
    problem(['audience'], `the audience must be ${issuerUrl}, or begin with it and "/" or "#"`)
  return audience
}

const keysOf = (
  name: string,
  { issuer, jwks }: SetSourceDocument,
  context: EventsContext,
  problem: Report,
): KeySource => {
  if (jwks !== undefined && 'inline' in jwks)
    // An issuer's name has no slash: no key set of one is taken for that of the other.
    return {
      kind: 'inline',
      keys: jwks.inline.keys as unknown as JsonValue,
      tenant: context.tenant,
      issuerName: `events/${name}`,
    }
  if (jwks === undefined || !('url' in jwks)) {
    const wrong = discoveryProblem(issuer, context)
    if (wrong !== null) problem(['issuer'], `the URL its keys are discovered at ${wrong}`)
    return { kind: 'discovery', issuer, jwksHosts: [] }
  }
  const wrong = keyUrlProblem(jwks.url, context)
  if (wrong !== null) problem(['jwks', 'url'], `the key set URL ${wrong}`)
  return { kind: 'url', url: jwks.url, issuer }
}

/** Formats whose values can be of a kind that has a form of its own; the other kinds are a platform's own text. */
const FORMATS_OF: Readonly<Partial<Record<RevocationKind, readonly SubjectFormat[]>>> = {
  credential: ['opaque', 'jwt_id'],
  assertion: ['opaque'],
  subject: ['opaque', 'iss_sub', 'uri'],
  issuer: ['opaque'],
  own_key: ['opaque'],
  grant: ['opaque'],
  tenant: ['opaque'],
}

type RuleDocument = Extract<NonNullable<SetSourceDocument['on'][SecurityEventName]>, { revoke: unknown }>

const compileRule = (
  event: SecurityEventName,
  rule: RuleDocument,
  { issuers, issuerUrl }: EventsContext,
  problem: Report,
): EventRule => {
  const { revoke: kind, subject } = rule
  const { scoped, always } = REVOCATION_KINDS[kind]
  const formats = FORMATS_OF[kind]
  if (formats !== undefined && !formats.includes(subject))
    problem(['subject'], `${kind} is never named by ${subject}: use ${formats.join(' or ')}`)
  if (subject === 'jwt_id' && kind !== 'credential') problem(['subject'], 'jwt_id names a credential and nothing else')
  if (rule.action === 'cut' && always === 'block') problem(['action'], `${kind} is always a block`)
  const named = rule.issuer ?? (issuers.length === 1 ? issuers[0]?.name : undefined)
  const issuer = scoped ? issuers.find(({ name }) => name === named) : undefined
  if (!scoped && rule.issuer !== undefined) problem(['issuer'], `${kind} is not named with an issuer`)
  if (scoped && named === undefined) problem([], `${kind} is named with its issuer: write issuer: <one of issuers:>`)
  else if (scoped && issuer === undefined) problem(['issuer'], `there is no issuer "${named}"`)
  return {
    event,
    member: rule.member ?? null,
    subject,
    kind,
    issuer: issuer?.name ?? '',
    iss: SUBJECT_FORMATS[subject].of === null ? '' : (issuer?.issuer ?? issuerUrl),
    form: rule.action ?? 'block',
  }
}
