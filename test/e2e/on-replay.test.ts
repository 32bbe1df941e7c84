// `on_replay: revoke` against the real broker (design §3): evidence that is presented again ends the credential it gave first, and
// nothing else does.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createQueue } from '../../lib/adapters/sqlite/queue.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { RevocationOrder } from '../../lib/domain/revocation-order.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant } from '../support/tenants.ts'
import { COMES_WITHIN_MS, until } from '../support/until.ts'

const key = issuerKey('RS256')
const STRICT = 'https://strict.acme.example'
const LAX = 'https://lax.acme.example'
const GRANTS = `
  strict:
    from: github
    match: { project.id: "7654321", environment.name: production }
    identity: /ci/{project.id}/strict
    issue:
      - { type: access_token, audience: [${STRICT}], scope: [deploy], on_replay: revoke }
      - { type: access_token, audience: [${LAX}], scope: [deploy] }
`
let broker: RunningBroker
let acme: string
beforeAll(async () => {
  broker = await startBroker({ tenants: { acme: githubTenant('acme', { keys: [key], grants: GRANTS }) } })
  acme = `${broker.url}/t/acme`
})
afterAll(() => removeBroker(broker))

const rows = (sql: string) => {
  const sqlite = new DatabaseSync(join(broker.dataDir, 'mintmark.db'), { readOnly: true, timeout: COMES_WITHIN_MS })
  const found = sqlite.prepare(sql).all()
  sqlite.close()
  return found
}
const inForce = () => rows('SELECT kind, value, by, reason FROM revocation WHERE lifted_at IS NULL ORDER BY rowid')
const evidence = () => signAssertion(key, githubClaims(acme, { run_id: randomUUID().slice(0, 8) }))
const redeem = (assertion: string, audience: string) => exchange(acme, assertion, { audience })

test('the first credential and its evidence are blocked, by the record of the replay', async () => {
  const assertion = evidence()
  const first = await redeem(assertion, STRICT)
  expect(first.status).toBe(200)
  // Whatever the second one asks for.
  const second = await redeem(assertion, LAX)
  expect(second.status).toBe(400)
  await expect.poll(inForce).toHaveLength(2)
  const by = `replay ${second.body['decision_id']}`
  const reason = 'its evidence was presented again'
  expect(inForce()).toMatchObject([
    { kind: 'credential', value: first.body['decision_id'], by, reason },
    { kind: 'assertion', by, reason },
  ])
  // Told as revoked from now on, so that one replay is one order.
  await redeem(assertion, STRICT)
  expect(rows('SELECT id FROM revocation_order')).toEqual([{ id: second.body['decision_id'] }])
})

test('of an entry that alerts, and of a repeat with its key, nothing is revoked', async () => {
  const before = inForce().length
  const lax = evidence()
  await redeem(lax, LAX)
  await redeem(lax, STRICT)
  const repeated = evidence()
  const headers = { 'idempotency-key': randomUUID().replaceAll('-', '') }
  for (let count = 0; count < 2; count += 1)
    expect((await exchange(acme, repeated, { audience: STRICT }, headers)).status).toBe(200)
  // Behind them comes one that is: when it is in force, they were looked at.
  const last = evidence()
  await redeem(last, STRICT)
  await redeem(last, STRICT)
  await expect.poll(inForce).toHaveLength(before + 2)
})

test('a flood of replays, counted and no longer recorded one by one, does not hide the one that matters', async () => {
  const lax = evidence()
  await redeem(lax, LAX)
  // As many as it takes: a minute that ends meanwhile begins a budget anew.
  const flood = async () => {
    for (let count = 0; count < LIMITS.denialsFullPerMinute + 10; count += 1) await redeem(lax, LAX)
    return rolledUp()
  }
  const rolledUp = () => rows("SELECT count FROM denial_roll_up WHERE kind = 'replayed'").length
  await until('a replay that is only counted', flood)
  const before = inForce().length
  const strict = evidence()
  await redeem(strict, STRICT)
  await redeem(strict, STRICT)
  await expect.poll(inForce).toHaveLength(before + 2)
})

test('an order that names no replay, another one, or more than it gave is not carried out', async () => {
  const [assertion, other] = [evidence(), evidence()]
  const first = await redeem(assertion, LAX)
  const replay = await redeem(assertion, LAX)
  const live = await redeem(other, STRICT)
  const before = inForce().length
  const order = (decision: unknown, jti: unknown): RevocationOrder => ({
    v: 1,
    id: String(decision),
    tenant: 'acme',
    selectors: [{ kind: 'credential', issuer: '', value: String(jti) }],
    form: 'block',
    reason: 'its evidence was presented again',
    proof: { kind: 'replay', decision: String(decision) },
    orderedAtSeconds: Math.floor(Date.now() / 1000),
  })
  const database = openDatabase({ dataDir: broker.dataDir, dev: null })
  const queue = createQueue(database, 'revoke', systemClock)
  const forged = [
    order(randomUUID(), live.body['decision_id']),
    order(first.body['decision_id'], first.body['decision_id']),
    order(replay.body['decision_id'], live.body['decision_id']),
  ]
  for (const one of forged) await queue.send(one, { group: 'acme', dedupe: one.id })
  database.close()
  await expect
    .poll(() => rows("SELECT reason FROM quarantined_message WHERE reason = 'proof_not_accepted'"))
    .toHaveLength(3)
  expect(inForce()).toHaveLength(before)
})
