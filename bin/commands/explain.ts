// `mintmark explain`: for one assertion, every check of the evidence, every condition of every candidate grant, expected and
// actual, and what the broker would answer. Offline: a signature is checked only where the keys are in the document, which
// comes from files or, with --data, from the store.

import { readFileSync } from 'node:fs'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import type { JsonObject } from '../../lib/domain/claims.ts'
import type { Target } from '../../lib/domain/decide.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import {
  decideOffline,
  describeRefusal,
  type EvidenceCheck,
  type OfflineDecision,
  shownDecision,
} from '../../lib/domain/offline-decision.ts'
import type { IssuerConfig, TenantConfig } from '../../lib/domain/tenant-config.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { formatProblem } from '../../lib/wire/tenant-problem.ts'
import { type Command, type Io, readOptions, required, UsageError } from '../command.ts'
import { conditionLines } from '../policy/condition-lines.ts'
import { painter } from '../policy/paint.ts'
import { loadStoredTenant } from '../policy/stored-tenant.ts'
import { assumption, loadTenantDirectory } from '../policy/tenant-directory.ts'
import { reportProblem } from '../report-problem.ts'
import { wordsOf } from '../words-of.ts'

const HELP = `Usage: mintmark explain --tenant T --assertion FILE [--tenants DIR | --data DIR] [options]

Shows, for an assertion (a JWT, or a JSON file of its claims), every condition of every grant that takes evidence of its
issuer: what was expected, what was there, and what the broker would answer. Nothing is sent anywhere.

  --tenants DIR     the tenant documents (default: tenants)
  --data DIR        instead of documents, what is current in this data directory; safe beside a running broker
  --target AUD      the audience asked for (also --audience)
  --type KIND       access_token (default) or aws-credentials
  --scope "A B"     the scopes asked for
  --grant NAME      the grant asked for
  --base-url URL    base URL of the broker (default: with --data the one it runs with; else what the
                    documents' audiences say)
  --at SECONDS      judge ages as of this time (default: now)
  --dev             as "serve --dev"
  --json            one JSON document on stdout

Exit: 0 a token would be issued, 1 it would be refused, 2 wrong usage.
`

export const run: Command['run'] = async (argv, io) => {
  const { values } = readOptions(argv, {
    tenant: { type: 'string' },
    assertion: { type: 'string' },
    tenants: { type: 'string' },
    data: { type: 'string' },
    target: { type: 'string' },
    type: { type: 'string', default: 'access_token' },
    audience: { type: 'string' },
    scope: { type: 'string' },
    grant: { type: 'string' },
    'base-url': { type: 'string' },
    at: { type: 'string' },
    dev: { type: 'boolean' },
  })
  if (values.help) {
    io.stdout.write(HELP)
    return 0
  }
  const tenant = required(values.tenant, 'tenant')
  const assertion = readAssertion(required(values.assertion, 'assertion'))
  const { type } = values
  if (type !== 'access_token' && type !== 'aws-credentials')
    throw new UsageError('--type is access_token or aws-credentials')
  const config = await configOf(tenant, values, io)
  if (config === null) return 1
  const target: Target = {
    type,
    audience: values.target ?? values.audience ?? null,
    scope: values.scope?.split(' ').filter((one) => one !== '') ?? null,
    grant: values.grant ?? null,
  }
  return explainAssertion(
    config,
    { ...assertion, target, nowSeconds: timeOf(values.at) },
    { io, json: values.json ?? false },
  )
}

type Source = {
  readonly tenants?: string | undefined
  readonly data?: string | undefined
  readonly 'base-url'?: string | undefined
  readonly dev?: boolean | undefined
  readonly json?: boolean | undefined
}

/** From the store, or from documents. Null: there is none that could decide anything, and why is said. */
const configOf = async (tenant: string, source: Source, io: Io): Promise<TenantConfig | null> => {
  const { data, tenants = 'tenants', 'base-url': baseUrl, dev = false } = source
  if (data !== undefined) {
    if (source.tenants !== undefined) throw new UsageError('--tenants and --data exclude each other')
    const stored = await loadStoredTenant(data, tenant, baseUrl)
    if (!stored.ok) {
      reportProblem(io, 'explain', { kind: 'refused', says: stored.problem }, source.json)
      return null
    }
    if (stored.warning !== null) io.stderr.write(`mintmark explain: ${stored.warning}\n`)
    return stored.config
  }
  const set = loadTenantDirectory(tenants, { baseUrl, dev })
  for (const problem of set.problems) io.stderr.write(`${formatProblem(problem)}\n`)
  const found = set.tenants.find(({ config }) => config.tenant === tenant)?.config
  if (found !== undefined) {
    if (set.isBaseUrlAssumed) io.stderr.write(`mintmark explain: ${assumption(set.baseUrl)}\n`)
    return found
  }
  if (set.problems.length > 0) {
    const says = `tenant "${tenant}" is not among the documents that load`
    reportProblem(io, 'explain', { kind: 'refused', says }, source.json)
    return null
  }
  const names = set.tenants.map(({ config }) => config.tenant).join(', ')
  throw new UsageError(`there is no tenant "${tenant}" in ${tenants}: ${names}`)
}

export type ExplainInput = {
  readonly claims: JsonObject
  readonly jwt: string | null
  readonly target: Target
  readonly nowSeconds: number
}

/** Prints the explanation for one tenant's configuration, wherever it came from. 0: would be issued; 1: refused. */
export const explainAssertion = async (
  config: TenantConfig,
  input: ExplainInput,
  { io, json }: { readonly io: Io; readonly json: boolean },
): Promise<number> => {
  const decision = decideOffline(PROVIDER_CATALOG, config, input.claims, input.target, input.nowSeconds)
  const checks = [...decision.checks, await checkSignature(decision.issuer, input)]
  const isForged = checks.some(({ check, holds }) => check === 'signature' && holds === false)
  const isIssued = decision.outcome.ok && !isForged
  if (json) io.stdout.write(`${JSON.stringify(shownDecision(config, decision, { checks, isForged }), null, 2)}\n`)
  else print(io, config, decision, checks, isForged)
  return isIssued ? 0 : 1
}

/** A compact JWT, a JSON object of claims, or a recorded event with its claims inside. */
export const readAssertion = (file: string): { readonly claims: JsonObject; readonly jwt: string | null } => {
  const text = readText(file).trim()
  if (/^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)) {
    try {
      return { claims: decodeJwt(text) as JsonObject, jwt: text }
    } catch {
      throw new UsageError(`${file} looks like a JWT and cannot be decoded`)
    }
  }
  const parsed = parseJson(text)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new UsageError(`${file} is neither a JWT nor a JSON object of claims`)
  const { claims } = parsed as { claims?: JsonObject }
  return { claims: typeof claims === 'object' && claims !== null ? claims : (parsed as JsonObject), jwt: null }
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').slice(0, 2 * LIMITS.bodyBytesMax)
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new UsageError(`cannot read ${file}: ${wordsOf(error)}`)
    throw error
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const timeOf = (at: string | undefined): number => {
  if (at === undefined) return Math.floor(Date.now() / 1000)
  if (!/^[0-9]{1,12}$/.test(at)) throw new UsageError('--at is a time in seconds since 1970')
  return Number(at)
}

const checkSignature = async (
  issuer: IssuerConfig | null,
  { jwt, nowSeconds }: ExplainInput,
): Promise<EvidenceCheck> => {
  const unchecked = (says: string): EvidenceCheck => ({ check: 'signature', holds: null, says })
  if (issuer === null) return unchecked('not checked: the issuer is unknown')
  if (jwt === null) return unchecked('not checked: the file has claims, no signature')
  if (issuer.keys.kind !== 'inline') return unchecked('not checked (offline): the keys of this issuer are fetched')
  try {
    const keys = createLocalJWKSet({ keys: issuer.keys.keys } as unknown as JSONWebKeySet)
    // Times are judged above, by our own rules.
    await jwtVerify(jwt, keys, {
      algorithms: [...issuer.algorithms],
      currentDate: new Date(nowSeconds * 1000),
      clockTolerance: Number.MAX_SAFE_INTEGER,
    })
    return { check: 'signature', holds: true, says: 'verified with the inline keys' }
  } catch {
    return { check: 'signature', holds: false, says: 'does not verify with the inline keys' }
  }
}

const print = (
  io: Io,
  config: TenantConfig,
  decision: OfflineDecision,
  checks: readonly EvidenceCheck[],
  isForged: boolean,
): void => {
  const paint = painter(io)
  const { good, bad, dim, bold } = paint
  const say = (text = '') => void io.stdout.write(`${text}\n`)
  const mark = (holds: boolean | null) => (holds === null ? dim('-') : holds ? good('✓') : bad('✗'))
  say(bold('Evidence'))
  for (const { check, holds, says } of checks) say(`  ${mark(holds)} ${check.padEnd(10)} ${says}`)
  const { rows, nearest } = decision.explanation
  const linesOf = conditionLines(rows, paint)
  for (const { grant, holds } of decision.evaluations) {
    say()
    say(
      `${bold(`Grant ${grant.name}`)} ${holds ? good('matches') : bad('does not match')}${grant.mode === 'report' ? dim(' (report: recorded, never issued)') : ''}`,
    )
    for (const line of linesOf(grant.name)) say(line)
  }
  if (decision.issuer !== null && decision.wid !== null && decision.evaluations.length === 0)
    say(`\nNo grant takes evidence of issuer "${decision.issuer.name}".`)
  say()
  if (isForged) say(`${bad('Refused')}: the signature does not verify (signature_invalid)`)
  else if (decision.outcome.ok) {
    const { grant, audience, scope, entry, identityPath } = decision.outcome.value
    say(`${good('Allowed')} by ${grant.name}: spiffe://${config.trustDomain}${identityPath}`)
    say(`  for ${audience}, scope "${scope.join(' ')}", ${entry.ttlSeconds} s`)
  } else {
    say(`${bad('Refused')}: ${describeRefusal(decision.outcome.refusal)} (${decision.outcome.refusal.kind})`)
    if (nearest !== null && nearest.held < nearest.of)
      say(`  nearest: ${nearest.grant}, ${nearest.held} of ${nearest.of} hold`)
  }
}
