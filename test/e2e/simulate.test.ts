// POST /t/{tenant}/admin/simulate: what the broker would answer, by its current configuration, without an exchange.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange, type RunningBroker, removeBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { call, type Right, startOperatorBroker, tokenOf } from '../support/operators.ts'
import { TARGET } from '../support/tenants.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
let globex: string
beforeAll(async () => {
  ;({ broker, acme, globex } = await startOperatorBroker(key))
})
afterAll(() => removeBroker(broker))

const bearerOf = async (right: Right) => (await tokenOf(acme, { key, right })).token
const simulate = async (json: unknown, bearer?: string) => {
  const answer = await call(`${acme}/admin/simulate`, { bearer: bearer ?? (await bearerOf('operator')), json })
  return { status: answer.status, text: answer.text, body: JSON.parse(answer.text) as Record<string, never> }
}
const claimsOf = (more: Record<string, unknown> = {}) => githubClaims(acme, { environment: 'deploy', ...more })

test('an assertion is judged as the exchange would judge it, and can be redeemed afterwards: nothing was spent', async () => {
  const assertion = signAssertion(key, claimsOf())
  const target = { audience: TARGET, scope: 'deploy:read' }
  const told = await simulate({ assertion, ...target })
  expect([told.status, told.body]).toMatchObject([
    200,
    {
      kind: 'simulated',
      issuer: 'github',
      verdict: {
        allow: true,
        grant: 'deploy',
        scope: ['deploy:read'],
        subject: 'spiffe://acme.example/ops/7654321/deploy',
      },
    },
  ])
  expect(told.body['checks']).toContainEqual(expect.objectContaining({ check: 'signature', holds: null }))
  expect((await exchange(acme, assertion, target)).status).toBe(200)
})

test('claims that would be refused are told with the condition that fails, its value, and the grant that came nearest', async () => {
  const told = await simulate({ claims: claimsOf({ environment: 'staging-7' }), audience: TARGET })
  expect(told.body['verdict']).toMatchObject({ allow: false, kind: 'no_grant_matches' })
  expect(told.body['conditions']).toContainEqual({
    grant: 'deploy',
    condition: 'environment.name',
    expected: 'is "deploy"',
    actual: '"staging-7"',
    holds: false,
  })
  expect(told.body['nearest']).not.toBeNull()
})

test('a scope the grant does not issue, a target of nobody, another tenant’s evidence: each as the exchange says it', async () => {
  const verdict = async (json: object) =>
    (await simulate({ claims: claimsOf(), ...json })).body['verdict'] as unknown as object
  expect(await verdict({ audience: TARGET, scope: 'everything' })).toMatchObject({ allow: false })
  expect(await verdict({ audience: 'https://nobody.example' })).toMatchObject({ allow: false })
  const foreign = claimsOf({ repository_owner_id: '7777777' })
  expect(await verdict({ claims: foreign, audience: TARGET })).toMatchObject({ allow: false, kind: 'tenancy_mismatch' })
  expect((await simulate({ assertion: 'no.token.atall' })).body['verdict']).toMatchObject({ allow: false })
})

test('scope admin of that tenant opens it and nothing else does', async () => {
  for (const [right, status] of [
    ['reader', 403],
    ['revoker', 403],
    ['auditor', 403],
    ['deploy', 401],
  ] as const)
    expect((await simulate({ claims: claimsOf() }, await bearerOf(right))).status, right).toBe(status)
  const theirs = await tokenOf(globex, { key, right: 'operator', orgId: '7777777' })
  expect((await simulate({ claims: claimsOf() }, theirs.token)).status).toBe(401)
})

test.each([
  ['neither', {}],
  ['both', { assertion: 'a.b.c', claims: {} }],
  ['what is no parameter', { claims: {}, tenant: 'globex' }],
  ['a kind that is not built', { claims: {}, type: 'x509-svid' }],
  [
    'claims that are nested deeper than evidence may be',
    { claims: JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`) },
  ],
  ['an assertion that is too large', { assertion: 'a'.repeat(17_000) }],
])('a body with %s is 400', async (_, json) => {
  expect((await simulate(json)).status).toBe(400)
})

test('what was simulated is in no file of the broker and in no log line', async () => {
  const canary = 'canary-of-a-simulation'
  const claims = claimsOf({ environment: canary, repository: `acme/${canary}` })
  expect((await simulate({ assertion: signAssertion(key, claims), audience: TARGET })).text).toContain(canary)
  for (const file of readdirSync(broker.dataDir))
    expect(readFileSync(join(broker.dataDir, file)).includes(canary), file).toBe(false)
  expect(broker.output()).not.toContain(canary)
})
