// Runs one policy test: builds the claims, decides as the broker would, compares. Time stands still, so a test says the same
// on any day.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { issuerOf } from '../../lib/domain/assertion-checks.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/domain/claims.ts'
import { decideOffline, describeRefusal, type OfflineDecision } from '../../lib/domain/offline-decision.ts'
import type { IssuerConfig, TenantConfig } from '../../lib/domain/tenant-config.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import type { PolicyCase } from './policy-test-document.ts'

const NOW_SECONDS = 1_795_000_010
const LIFETIME_SECONDS = 290

/** Null when the case holds; otherwise the lines that say why not. */
export const runPolicyCase = (config: TenantConfig, test: PolicyCase, file: string): readonly string[] | null => {
  const claims = claimsOf(config, test, file)
  if (typeof claims === 'string') return [claims]
  const { type, audience, scope, grant } =
    typeof test.target === 'string' ? { audience: test.target } : (test.target ?? {})
  const decision = decideOffline(
    PROVIDER_CATALOG,
    config,
    claims,
    { type: type ?? 'access_token', audience: audience ?? null, scope: scope ?? null, grant: grant ?? null },
    NOW_SECONDS,
  )
  const wrong = differences(test.expect, decision)
  return wrong.length === 0 ? null : [...wrong, ...hints(decision)]
}

/** The claims of the case, or why there are none. */
const claimsOf = (config: TenantConfig, test: PolicyCase, file: string): JsonObject | string => {
  const base =
    test.claims !== undefined
      ? (test.claims as JsonObject)
      : test.assertion === undefined
        ? null
        : readRecorded(resolve(dirname(file), test.assertion))
  if (base === null) return 'needs assertion: FILE or claims: { … }'
  if (typeof base === 'string') return base
  const issuer =
    test.issuer === undefined
      ? config.issuers.find((candidate) => candidate.issuer === issuerOf(base))
      : config.issuers.find(({ name }) => name === test.issuer)
  if (test.issuer !== undefined && issuer === undefined)
    return `there is no issuer "${test.issuer}" in tenant ${config.tenant}`
  return merge(freshen(base, issuer), (test.with ?? {}) as JsonObject)
}

const readRecorded = (path: string): JsonObject | string => {
  try {
    const parsed = JSON.parse(readFileSync(path, 'utf8')) as JsonObject
    const { claims } = parsed
    return typeof claims === 'object' && claims !== null ? (claims as JsonObject) : parsed
  } catch (error) {
    return `cannot read ${path}: ${error instanceof SyntaxError ? 'not JSON' : String((error as NodeJS.ErrnoException).code)}`
  }
}

/** A recorded assertion was made for another time and perhaps another broker: these are not what a policy test is about. */
const freshen = (claims: JsonObject, issuer: IssuerConfig | undefined): JsonObject => {
  const times = {
    iat: NOW_SECONDS - 10,
    exp: NOW_SECONDS - 10 + LIFETIME_SECONDS,
    ...('nbf' in claims ? { nbf: NOW_SECONDS - 10 } : {}),
  }
  return {
    sub: 'test',
    ...claims,
    ...times,
    ...(issuer === undefined ? {} : { iss: issuer.issuer, aud: issuer.audience }),
  }
}

const merge = (claims: JsonObject, changes: JsonObject): JsonObject => {
  const merged: Record<string, JsonValue> = { ...claims }
  for (const [name, change] of Object.entries(changes)) {
    const before = merged[name]
    if (change === null) delete merged[name]
    else merged[name] = isJsonObject(change) && isJsonObject(before) ? merge(before, change) : change
  }
  return merged
}

const differences = (expected: PolicyCase['expect'], { outcome, evaluations }: OfflineDecision): string[] => {
  const wrong: string[] = []
  const compare = (what: string, wanted: string | undefined, got: string) => {
    if (wanted !== undefined && wanted !== got) wrong.push(`expected ${what} ${wanted}, got ${got}`)
  }
  if ('deny' in expected) {
    if (outcome.ok) wrong.push(`expected to be denied (${expected.deny}), was allowed by ${outcome.value.grant.name}`)
    else compare('to be denied as', expected.deny, `${outcome.refusal.kind}`)
  } else if (!outcome.ok)
    wrong.push(
      `expected grant ${expected.grant}, was denied: ${describeRefusal(outcome.refusal)} (${outcome.refusal.kind})`,
    )
  else {
    compare('grant', expected.grant, outcome.value.grant.name)
    compare('identity', expected.identity, outcome.value.identityPath)
    compare('audience', expected.audience, outcome.value.audience)
    compare('scope', expected.scope?.join(' '), outcome.value.scope.join(' '))
  }
  const reports = evaluations
    .filter(({ grant, holds }) => holds && grant.mode === 'report')
    .map(({ grant }) => grant.name)
  compare('reports by', expected.reports?.join(', ') ?? undefined, reports.join(', '))
  return wrong
}

/** What failed in the nearest grant: the next thing one would ask. */
const hints = ({ explanation, checks }: OfflineDecision): string[] => [
  ...checks.filter(({ holds }) => holds === false).map(({ check, says }) => `${check}: ${says}`),
  ...explanation.rows
    .filter((row) => row.grant === explanation.nearest?.grant && !row.holds)
    .map((row) => `${row.grant}: ${row.condition} ${row.expected}; actual ${row.actual}`),
]
