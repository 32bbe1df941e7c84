// P8: no token, key or claim value leaks. Canaries go into every field a caller controls; then everything the process wrote
// (answers, output, every file in its data directory) is searched for them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
beforeAll(async () => {
  broker = await startBroker({ tenants: { acme: githubTenant('acme', { keys: [key] }) } })
})
afterAll(() => removeBroker(broker))

test('row 66: tokens, signatures, unmapped claims, private keys and malformed bodies appear nowhere', async () => {
  const acme = `${broker.url}/t/acme`
  const good = signAssertion(
    key,
    githubClaims(acme, { canary_claim: 'CANARY-claim-value', head_ref: 'CANARY-head-ref' }),
  )
  const issued = await exchange(acme, good, { audience: TARGET })
  expect(issued.status).toBe(200)
  const bad = [
    signAssertion(key, githubClaims(acme, { canary_claim: 'CANARY-claim-value', exp: 1 })),
    signAssertion(key, githubClaims(acme), { jku: 'https://CANARY-jku.example' }),
    `${good.slice(0, -6)}AAAAAA`,
    'CANARY-not-a-token',
    `${good}.CANARY-part`,
  ]
  const answers = [issued]
  for (const token of bad)
    answers.push(
      await exchange(
        acme,
        token,
        { audience: TARGET, scope: 'deploy:read', grant: 'deploy-prod', unknown: 'CANARY-parameter' },
        { 'x-canary': 'CANARY-header' },
      ),
    )
  answers.push(await exchange(acme, good, { audience: TARGET }))
  const malformed = [
    '%zzCANARY-escape',
    'subject_token=%E2%CANARY-utf',
    'a=CANARY-first&a=CANARY-second',
    '{"CANARY-json":',
  ]
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const body of malformed) {
    const response = await fetch(`${acme}/token`, { method: 'POST', body, headers })
    expect([response.status, await response.text()]).toEqual([400, expect.not.stringContaining('CANARY')])
  }
  await broker.stop()

  const files = readdirSync(broker.dataDir).map((name) => readFileSync(join(broker.dataDir, name)).toString('latin1'))
  const written = [broker.output(), ...files].join('\n')
  expect(files.length).toBeGreaterThan(1)
  expect(written).toContain('deploy-prod') // the search itself works: records are there
  for (const { body } of answers) expect(written).toContain(String(body['decision_id']))
  expect(written.match(/CANARY-[a-z-]+/g) ?? []).toEqual([])
  expect(answers.map(({ body }) => JSON.stringify(body)).join('\n')).not.toContain('CANARY')
  const minted = String(issued.body['access_token'])
  for (const token of [good, minted, ...bad.slice(0, 3)])
    for (const part of token.split('.')) if (part.length > 40) expect(written).not.toContain(part)
  expect(written).not.toContain('PRIVATE KEY')
  expect(written).not.toMatch(/"d"\s*:\s*"/)
})
