// Revocations told to receivers by the real broker (design P6, RFC 8935, RFC 8936), judged by what an independent library makes of
// the SETs and the key set that is served. Longer than 300 lines: one broker and its receivers serve all.
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run as revocations } from '../../bin/commands/revocations.ts'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { run as unblock } from '../../bin/commands/unblock.ts'
import { exchange, type RunningBroker, removeBroker, startBroker, temporaryDirectory } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { freePort } from '../support/free-port.ts'
import { captureIo } from '../support/io.ts'
import { call, operatorTenant, tokenOf } from '../support/operators.ts'
import { ACCEPTED, authorityFile, startReceiver } from '../support/receiver.ts'
import { CAEP } from '../support/security-events.ts'
import { TARGET } from '../support/tenants.ts'
import { COMES_WITHIN_MS } from '../support/until.ts'

const key = issuerKey('RS256')
const edge = await startReceiver()
const down = await startReceiver()
const authority = authorityFile()
let broker: RunningBroker
let acme: string
let globex: string

const POLLER = (issuerUrl: string) => `
  poller:
    from: github
    match: { project.id: "7654321", environment.name: poller }
    identity: /ops/{project.id}/poller
    issue:
      - { type: access_token, audience: ["${issuerUrl}"], scope: ["receive:inner"], ttl: 10m }
`

beforeAll(async () => {
  const port = await freePort()
  acme = `http://127.0.0.1:${port}/t/acme`
  globex = `http://127.0.0.1:${port}/t/globex`
  const secrets = temporaryDirectory()
  mkdirSync(join(secrets, 'acme'))
  writeFileSync(join(secrets, 'acme', 'edge'), 'Bearer of-the-edge\n')
  await down.close()
  const receivers = `
receivers:
  edge: { type: webhook, url: "${edge.url()}", authorization: { file: acme/edge } }
  down: { type: webhook, url: "${down.url('/down')}" }
  inner: { type: poll }
`
  broker = await startBroker({
    tenants: {
      acme: operatorTenant('acme', acme, key, '1234567') + POLLER(acme) + receivers,
      globex: `${operatorTenant('globex', globex, key, '7777777')}${POLLER(globex)}
receivers:
  inner: { type: poll }
  inside: { type: webhook, url: "https://localhost:${edge.port}/globex" }
`,
    },
    args: ['--port', String(port), '--secrets', secrets, '--egress-allow', '127.0.0.0/8', '--egress-allow', '::1/128'],
    env: { NODE_EXTRA_CA_CERTS: authority.path },
  })
})
afterAll(async () => {
  await removeBroker(broker)
  await edge.close()
  authority.remove()
})

const operate = async (run: typeof revoke, ...args: string[]) => {
  const io = captureIo()
  expect(await run([...args, '--data', broker.dataDir, '--json'], io), io.err()).toBe(0)
  return JSON.parse(io.out()) as { revocations: string[]; receivers: Record<string, unknown>[] }
}
const order = async (...args: string[]) =>
  (await operate(revoke, '--tenant', 'acme', '--reason', 'because of a secret', ...args)).revocations
const pushed = (path = '/revocations') => edge.got.filter((one) => one.path === path)
const verified = async (set: string, audience: string, tenantUrl = acme) => {
  const keys = createRemoteJWKSet(new URL(`${tenantUrl}/signal-jwks.json`), { timeoutDuration: COMES_WITHIN_MS })
  return jwtVerify(set, keys, { issuer: tenantUrl, audience, typ: 'secevent+jwt', algorithms: ['RS256'] })
}
const mint = async (claims: Record<string, unknown> = {}) => {
  const evidence = githubClaims(acme, { environment: 'deploy', run_id: String(Date.now()), ...claims })
  const answer = await exchange(acme, signAssertion(key, evidence), { audience: TARGET })
  expect(answer.status).toBe(200)
  return String(answer.body['decision_id'])
}
const poller = (tenantUrl: string, orgId: string) =>
  tokenOf(tenantUrl, { key, right: 'poller' as never, orgId, claims: { environment: 'poller' } })

describe('a webhook', () => {
  test('is sent one SET for each revocation, in order, that an independent verifier accepts', async () => {
    const jti = await mint()
    const before = pushed().length
    const [credential] = await order('--jti', jti)
    const [run] = await order('--run', '4711')
    await order('--sub', 'spiffe://acme.example/ops/1/x', '--cut')
    await operate(unblock as typeof revoke, run!, '--reason', 'clean')
    await expect.poll(() => pushed().length).toBe(before + 5)
    const sets = await Promise.all(
      pushed()
        .slice(before)
        .map(({ body }) => verified(body, edge.url())),
    )
    const events = sets.map(({ payload }) => payload['events'] as Record<string, Record<string, unknown>>)
    expect(sets.map(({ payload }) => payload['sub_id'])).toEqual([
      { format: 'jwt_id', iss: acme, jti },
      { format: 'opaque', id: expect.stringMatching(/^[\w-]{16}$/) },
      { format: 'opaque', id: expect.stringMatching(/^[\w-]{16}$/) },
      {
        format: 'complex',
        application: { format: 'uri', uri: 'spiffe://acme.example/ops/1/x' },
        tenant: { format: 'opaque', id: 'acme' },
      },
      sets[2]!.payload['sub_id'],
    ])
    const revoked = `${CAEP}session-revoked`
    const lifted = 'urn:mintmark:event-type:revocation-lifted'
    expect(events.map((event) => Object.keys(event))).toEqual([[revoked], [revoked], [revoked], [revoked], [lifted]])
    expect(events[3]![revoked]!['revocation']).toMatchObject({
      kind: 'subject',
      form: 'cut',
      not_before: expect.any(Number),
    })
    expect(sets[0]!.payload['txn']).toBe(credential)
    for (const { payload } of sets) expect([payload.exp, payload.sub]).toEqual([undefined, undefined])
    expect(new Set(sets.map(({ payload }) => payload.jti)).size).toBe(5)
    // Why it was revoked is for the tenant's operators.
    expect(JSON.stringify(sets)).not.toContain('because of a secret')
  })

  test('is sent the media type of RFC 8935 §2.1 and the secret of the tenant', async () => {
    const before = pushed().length
    await order('--run', randomUUID())
    await expect.poll(() => pushed().length).toBeGreaterThan(before)
    expect(pushed().at(-1)!.headers).toMatchObject({
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: 'Bearer of-the-edge',
    })
  })

  test('is not told what happens in another tenant', async () => {
    const before = pushed().length
    await operate(revoke, '--tenant', 'globex', '--reason', 'x', '--run', '1')
    await expect.poll(() => pushed('/globex').length).toBeGreaterThan(0)
    await verified(pushed('/globex').at(-1)!.body, edge.url('/globex'), globex)
    expect(pushed().length).toBe(before)
    await expect(verified(pushed('/globex').at(-1)!.body, edge.url('/globex'), acme)).rejects.toThrow()
  })

  test('that is down is seen to be, and gets everything in order when it is back, while the other never waited', async () => {
    await order('--run', randomUUID())
    const stateOf = async (name: string) =>
      (await operate(revocations, '--tenant', 'acme')).receivers.find((receiver) => receiver['name'] === name)
    await expect.poll(() => stateOf('edge')).toMatchObject({ pending: 0, last: { problem: null, status: 202 } })
    await expect.poll(() => stateOf('down')).toMatchObject({ last: { problem: 'connect_failed', status: null } })
    const waiting = (await stateOf('down'))!
    expect(waiting).toMatchObject({ oldestAtSeconds: expect.any(Number), attempts: expect.any(Number) })
    const io = captureIo()
    expect(await revocations(['--tenant', 'acme', '--data', broker.dataDir], io)).toBe(0)
    expect(io.out()).toMatch(
      /^receiver acme\/down {2}webhook {2}\d+ pending, oldest since \S+, \d+ attempts failed {2}last \S+ connect_failed$/m,
    )
    expect(io.out()).toMatch(/^receiver acme\/edge {2}webhook {2}0 pending {2}last \S+ well \(HTTP 202\)$/m)
    const back = await startReceiver(ACCEPTED, down.port)
    try {
      await expect.poll(async () => (await stateOf('down'))!['pending'], { interval: 250 }).toBe(0)
      const seqs = back.jtis().map((jti) => Number(jti!.split('.')[0]))
      expect(seqs).toEqual(Array.from({ length: Number(waiting['pending']) }, (_, at) => at + 1))
    } finally {
      await back.close()
    }
  })
})

describe('a receiver that polls', () => {
  const poll = async (body: unknown, { tenantUrl = acme, bearer }: { tenantUrl?: string; bearer?: string } = {}) => {
    const token = bearer ?? (await poller(acme, '1234567')).token
    const answer = await call(`${tenantUrl}/receivers/inner/poll`, { bearer: token, json: body })
    return {
      status: answer.status,
      body: JSON.parse(answer.text) as { sets: Record<string, string>; moreAvailable: boolean },
    }
  }
  const drain = async () => {
    for (;;) {
      const { body } = await poll({ returnImmediately: true })
      const jtis = Object.keys(body.sets)
      if (jtis.length === 0) return
      await poll({ maxEvents: 0, ack: jtis })
    }
  }

  test('is given what is pending until it acknowledges it, and then never again', async () => {
    await drain()
    await order('--run', randomUUID())
    await order('--run', randomUUID())
    await order('--run', randomUUID())
    const first = await poll({ maxEvents: 2, returnImmediately: true })
    expect([first.status, Object.keys(first.body.sets).length, first.body.moreAvailable]).toEqual([200, 2, true])
    for (const [jti, set] of Object.entries(first.body.sets))
      expect((await verified(set, `${acme}/receivers/inner/poll`)).payload.jti).toBe(jti)
    expect((await poll({ maxEvents: 2, returnImmediately: true })).body.sets).toEqual(first.body.sets)
    const [one, two] = Object.keys(first.body.sets)
    // The second before the first: the first stays.
    const second = await poll({ ack: [two!], returnImmediately: true })
    expect(Object.keys(second.body.sets)).toHaveLength(2)
    expect(Object.keys(second.body.sets)).toContain(one)
    expect(Object.keys(second.body.sets)).not.toContain(two)
    await poll({ maxEvents: 0, ack: Object.keys(second.body.sets) })
    expect((await poll({ returnImmediately: true })).body).toEqual({ sets: {}, moreAvailable: false })
  })

  test('that answers with an error is given the SET again, behind the others, and the error is seen', async () => {
    await drain()
    await order('--run', randomUUID())
    const [bad] = Object.keys((await poll({ returnImmediately: true })).body.sets)
    await order('--run', randomUUID())
    const setErrs = { [bad!]: { err: 'invalid_audience', description: 'a text of a stranger' } }
    const { body } = await poll({ maxEvents: 1, returnImmediately: true, setErrs })
    expect(Object.keys(body.sets)).not.toContain(bad)
    expect(body.moreAvailable).toBe(true)
    const admin = (await tokenOf(acme, { key, right: 'operator' })).token
    const { text } = await call(`${acme}/admin/receivers`, { bearer: admin })
    const state = (JSON.parse(text) as { receivers: Record<string, unknown>[] }).receivers.find(
      ({ name }) => name === 'inner',
    )
    expect(state).toMatchObject({ type: 'poll', pending: 2, refused: 1 })
    expect(text).not.toContain('a text of a stranger')
    await poll({ maxEvents: 0, ack: Object.keys(body.sets) })
    expect(Object.keys((await poll({ returnImmediately: true })).body.sets)).toEqual([bad])
    await drain()
  })

  test('waits for news, unless it asks not to', async () => {
    await drain()
    const waiting = poll({})
    await order('--run', randomUUID())
    expect(Object.keys((await waiting).body.sets)).toHaveLength(1)
    await drain()
  })

  test('whose token is revoked while it waits is told nothing', async () => {
    await drain()
    const sqlite = new DatabaseSync(join(broker.dataDir, 'mintmark.db'), { timeout: COMES_WITHIN_MS })
    sqlite.exec("UPDATE receiver SET last_at = NULL WHERE tenant = 'acme' AND name = 'inner'")
    const isWaiting = () =>
      sqlite.prepare("SELECT last_at FROM receiver WHERE tenant = 'acme' AND name = 'inner'").get()
    const { token, jti } = await poller(acme, '1234567')
    const waiting = poll({}, { bearer: token })
    await expect.poll(isWaiting).not.toEqual({ last_at: null })
    sqlite.close()
    await order('--jti', jti)
    expect((await waiting).status).toBe(401)
    await drain()
  })

  test('is this tenant’s and of this name, and nobody else', async () => {
    const theirs = (await poller(globex, '7777777')).token
    expect((await poll({}, { bearer: theirs })).status).toBe(401)
    const admin = (await tokenOf(acme, { key, right: 'operator' })).token
    expect((await poll({}, { bearer: admin })).status).toBe(403)
    const mine = (await poller(acme, '1234567')).token
    for (const name of ['edge', 'nobody'])
      expect((await call(`${acme}/receivers/${name}/poll`, { bearer: mine, json: {} })).status).toBe(403)
    expect((await call(`${acme}/receivers/inner/poll`, { json: {} })).status).toBe(401)
    expect((await call(`${acme}/receivers/inner`, { bearer: mine, json: {} })).status).toBe(404)
    expect((await call(`${broker.url}/t/nobody/receivers/inner/poll`, { bearer: mine, json: {} })).status).toBe(404)
    expect((await call(`${acme}/receivers/inner/poll`, { bearer: mine })).status).toBe(405)
    for (const body of [[], { maxEvents: -1 }, { ack: 'x' }, { ack: [1] }, { setErrs: { a: 1 } }])
      expect((await poll(body)).status).toBe(400)
  })

  test('of a jti that is not its own nothing is known, and nothing is lost', async () => {
    await drain()
    await order('--run', randomUUID())
    const [jti] = Object.keys((await poll({ returnImmediately: true })).body.sets)
    const seq = jti!.split('.')[0]
    const strange = [
      '1',
      'x',
      `${seq}.${'A'.repeat(22)}`,
      `9999999.${'A'.repeat(22)}`,
      ...edge.jtis().map(String),
    ].slice(0, 400)
    expect(Object.keys((await poll({ ack: strange, returnImmediately: true })).body.sets)).toEqual([jti])
  })
})

test('each answer that changes what is known is in the audit log once, and no retry is', async () => {
  const sqlite = new DatabaseSync(join(broker.dataDir, 'mintmark.db'), { readOnly: true, timeout: COMES_WITHIN_MS })
  const told = () =>
    sqlite
      .prepare("SELECT body FROM control_change WHERE what = 'receiver' AND tenant = 'acme'")
      .all()
      .map(({ body }) => JSON.parse(String(body)) as { receiver: string; jti: string; problem: string | null })
      .map(({ receiver, jti, problem }) => `${receiver} ${jti} ${problem === null}`)
  const edgeHas = () => told().filter((one) => one.startsWith('edge')).length
  await expect.poll(edgeHas).toBe(new Set(edge.jtis('/revocations')).size)
  const names = told()
  sqlite.close()
  expect(new Set(names).size).toBe(names.length)
  // It was tried many times.
  expect(names.filter((one) => one.startsWith('down') && one.endsWith('false')).length).toBeGreaterThan(0)
})

test('a poll that waits is answered when the broker is stopped, and holds it up no further', async () => {
  const { token: bearer } = await poller(acme, '1234567')
  const ask = (json: object) => call(`${acme}/receivers/inner/poll`, { bearer, json })
  const { sets } = JSON.parse((await ask({ returnImmediately: true })).text) as { sets: object }
  await ask({ maxEvents: 0, ack: Object.keys(sets) })
  const sqlite = new DatabaseSync(join(broker.dataDir, 'mintmark.db'), { timeout: COMES_WITHIN_MS })
  sqlite.exec("UPDATE receiver SET last_at = NULL WHERE tenant = 'acme' AND name = 'inner'")
  const waiting = ask({})
  const lastAt = () => sqlite.prepare("SELECT last_at FROM receiver WHERE tenant = 'acme' AND name = 'inner'").get()
  await expect.poll(lastAt).not.toEqual({ last_at: null })
  sqlite.close()
  const stopped = broker.stop('SIGTERM')
  const { status, text } = await waiting
  expect([status, JSON.parse(text)]).toEqual([200, { sets: {}, moreAvailable: false }])
  expect(await stopped).toBe(0)
})
