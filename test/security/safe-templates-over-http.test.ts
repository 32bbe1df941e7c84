// Every provider's safe template (issuers.md §3) against the attacks of §4 through the real broker: what the presets promise
// in test/providers must survive YAML, compilation, HTTP and the decision, and be refused for the attack's own reason.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import type { JsonObject } from '../../lib/domain/claims.ts'
import { PROVIDERS, type ProviderName } from '../../lib/domain/wid.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { type Claims, mutated, safeTemplates, sample } from '../support/assertion-samples.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { issuerKey, signAssertion } from '../support/evidence.ts'
import { until } from '../support/until.ts'

const TENANT = 'acme'
const key = issuerKey('RS256')
let broker: RunningBroker

const isFixed = (name: ProviderName): boolean => PROVIDER_CATALOG[name].audience === 'fixed'
const grantName = (name: ProviderName): string => `safe-${name.replaceAll('_', '-')}`
const targetOf = (name: ProviderName): string => `https://${grantName(name)}.acme.example`

const issuerDocument = (name: ProviderName) => {
  const { claims } = sample(safeTemplates[name].sample)
  const { org_id, mapping } = safeTemplates[name]
  const preset = PROVIDER_CATALOG[name]
  const iss = String(claims['iss'])
  return {
    provider: name,
    ...(preset.issuer.exact === undefined ? { issuer: iss } : {}),
    ...(org_id === null || !needsOrgId(name) ? {} : { org_id }),
    ...(mapping ? { claims: Object.fromEntries(mapping.map(({ leaf, claim }) => [leaf, claim])) } : {}),
    ...(isFixed(name)
      ? { fixed_audience: 'accept', reason: 'the platform offers no other', audience: String(claims['aud']) }
      : {}),
    jwks: { inline: { keys: [key.jwk] } },
  }
}

/** Where the issuer URL itself names the customer, org_id is refused by the document's rules. */
const needsOrgId = (name: ProviderName): boolean => {
  const source = PROVIDER_CATALOG[name].leaves['org.id']
  return source === undefined || !('issuer' in source)
}

const document = () => ({
  tenant: TENANT,
  trust_domain: 'acme.example',
  issuers: Object.fromEntries(PROVIDERS.map((name) => [name.replaceAll('_', '-'), issuerDocument(name)])),
  grants: Object.fromEntries(
    PROVIDERS.map((name) => [
      grantName(name),
      {
        from: name.replaceAll('_', '-'),
        match: safeTemplates[name].match,
        identity: `/${grantName(name)}`,
        issue: [{ type: 'access_token', audience: [targetOf(name)], scope: ['deploy'], ttl: '5m' }],
      },
    ]),
  ),
})

/** The sample as a job would get it now: its own lifetime moved to this moment, a jti of its own, our audience and key. */
const signed = (name: ProviderName, mutate: (claims: Claims) => void = () => undefined): string => {
  const { header, claims } = sample(safeTemplates[name].sample)
  const now = Math.floor(Date.now() / 1000)
  const shift = now - Number(claims['iat'])
  const fresh: JsonObject = mutated(claims, (copy) => {
    for (const time of ['iat', 'nbf', 'exp']) if (time in copy) copy[time] = Number(copy[time]) + shift
    if ('jti' in copy) copy['jti'] = randomUUID()
    if (!isFixed(name))
      copy['aud'] = Array.isArray(copy['aud']) ? [`${broker.url}/t/${TENANT}`] : `${broker.url}/t/${TENANT}`
    mutate(copy)
  })
  return signAssertion(key, { ...fresh }, { ...header, alg: key.alg, kid: key.kid })
}

const ask = (name: ProviderName, assertion: string) =>
  exchange(`${broker.url}/t/${TENANT}`, assertion, { audience: targetOf(name) })

/** The private reason of a denial: the answer itself tells nobody. */
const reasonOf = async (decisionId: unknown): Promise<string> => {
  const database = openDatabase({ dataDir: broker.dataDir, dev: null })
  try {
    const lookup = createDecisionLookup(database)
    const found = await until(
      'the record of the denial',
      () => lookup.find(String(decisionId), TENANT),
      (one) => one?.kind === 'deny',
    )
    return found?.kind === 'deny' ? found.denial.refusal.kind : 'no record'
  } finally {
    database.close()
  }
}

// Only these are the template's doing: an attack stopped by an age, a key or a replay was stopped by a mistake of this test.
const REFUSED = /^(?:claim_invalid|tenancy_mismatch|tenancy_missing)$/
const NO_MATCH = /^no_grant_matches$/
/** The tenancy claim of gcp is the workload itself, taken from the grants, so another workload is another customer. */
const NO_MATCH_GCP = /^(?:no_grant_matches|tenancy_mismatch)$/

beforeAll(async () => {
  broker = await startBroker({ tenants: { acme: JSON.stringify(document()) }, args: ['--limits', 'off'] })
})
afterAll(() => removeBroker(broker))

describe.each(PROVIDERS)('%s over HTTP', (name) => {
  test('the run the template was written for gets a token', async () => {
    const answer = await ask(name, signed(name))
    expect([answer.status, answer.status === 200 ? '' : await reasonOf(answer.body['decision_id'])]).toEqual([200, ''])
  })

  test.each([...safeTemplates[name].attacks])('no token for: $name', async ({ mutate, expect: wanted }) => {
    const answer = await ask(name, signed(name, mutate))
    const reason = await reasonOf(answer.body['decision_id'])
    expect([answer.status, answer.body['access_token']]).toEqual([400, undefined])
    expect(reason).toMatch(wanted === 'refused' ? REFUSED : name === 'gcp' ? NO_MATCH_GCP : NO_MATCH)
    expect(answer.body['error']).toBe(reason === 'no_grant_matches' ? 'invalid_target' : 'invalid_request')
  })
})
