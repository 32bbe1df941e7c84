// `mintmark decision ID` as a person reads it (design P8): what matched, what did not and by how little, and what only reports.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run as decision } from '../../bin/commands/decision.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { DEPLOY_GRANT, githubTenant, TARGET } from '../support/tenants.ts'

const WATCHED = 'https://watched.acme.example'
const WATCH = `  watch:
    from: github
    match: { project.id: "7654321", ref.full: refs/heads/main }
    identity: /watch/{project.id}
    mode: report
    issue: [{ type: access_token, audience: [${WATCHED}], scope: [x] }]
`
const key = issuerKey('RS256')
let broker: RunningBroker
beforeAll(async () => {
  broker = await startBroker({ tenants: { acme: githubTenant('acme', { keys: [key], grants: DEPLOY_GRANT + WATCH }) } })
})
afterAll(() => removeBroker(broker))

const shown = async (audience: string, changes: Record<string, unknown> = {}): Promise<string> => {
  const acme = `${broker.url}/t/acme`
  const { status, body } = await exchange(acme, signAssertion(key, githubClaims(acme, changes)), { audience })
  expect([status, body['error']]).toEqual([400, 'invalid_target'])
  const io = captureIo()
  await expect.poll(() => decision([String(body['decision_id']), '--data', broker.dataDir], io)).toBe(0)
  return io.out()
}

test('a report grant that matches is shown as what it is, and no grant as nearest where conditions denied nothing', async () => {
  const text = await shown(WATCHED)
  expect(text).toContain('Grant watch matches (report: recorded, never issued)')
  expect(text).toMatch(/Grant deploy-prod matches\n/)
  expect(text).not.toContain('Nearest')
})

test('where a condition failed, the nearest grant is named, and how near it came', async () => {
  const text = await shown(TARGET, { environment: 'qa' })
  expect(text).toMatch(/✗ environment\.name .* actual "qa"/)
  expect(text).toMatch(/Nearest: deploy-prod, \d+ of \d+ conditions hold/)
})

test('of an allow too it is told where the request came from: as attest saw it, whatever the request says of itself', async () => {
  const acme = `${broker.url}/t/acme`
  const headers = { 'x-forwarded-for': '203.0.113.7' }
  const { status, body } = await exchange(acme, signAssertion(key, githubClaims(acme)), { audience: TARGET }, headers)
  expect(status).toBe(200)
  const io = captureIo()
  expect(await decision([String(body['decision_id']), '--data', broker.dataDir], io)).toBe(0)
  expect(io.out()).toMatch(/^ {2}source +127\.0\.0\.1$/m)
})
