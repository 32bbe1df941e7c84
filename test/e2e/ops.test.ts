// The operator's port: what is counted, that nothing a caller sends can add to it but a number, and that it is nowhere else.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseOpsPlace } from '../../bin/embedded/ops.ts'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { sampleRevocation } from '../contract/sample-rows.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { COMES_WITHIN_MS } from '../support/until.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
let ops: string
beforeAll(async () => {
  const acmeYaml = `${githubTenant('acme', { keys: [key] })}\nsinks:\n  local: { type: jsonl, path: acme-audit.jsonl }\nreceivers:\n  inner: { type: poll }\n`
  broker = await startBroker({ tenants: { acme: acmeYaml }, args: ['--ops-port', '0'] })
  acme = `${broker.url}/t/acme`
  ops = /metrics on (\S+)\/metrics/.exec(broker.output())![1]!
})
afterAll(() => removeBroker(broker))

const assertion = (overrides: Record<string, unknown> = {}) => signAssertion(key, githubClaims(acme, overrides))
const scrape = async (): Promise<ReadonlyMap<string, number>> => {
  const text = await (await fetch(`${ops}/metrics`)).text()
  return new Map(
    text
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}
/** What moved between two scrapes, of those series that only exchanges move; a series that was not there was at none. */
const moved = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
  const before = await scrape()
  await work()
  const after = await scrape()
  return Object.fromEntries(
    [...after]
      .filter(([name]) => /^mintmark_.*_total/.test(name) || /_duration_seconds_count/.test(name))
      .map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const)
      .filter(([, difference]) => difference !== 0),
  )
}
const answered = (status: number): string =>
  `http_server_request_duration_seconds_count{http_request_method="POST",http_route="/t/{tenant}/token",http_response_status_code="${status}"}`

test('each answer is counted once: by its outcome, by what was issued on what, and each denial by what the caller was told', async () => {
  const once = assertion()
  expect(await moved(() => exchange(acme, once, { audience: TARGET }))).toEqual({
    'mintmark_exchanges_total{tenant="acme",outcome="issued"}': 1,
    'mintmark_credentials_issued_total{tenant="acme",provider="github",grant_type="token-exchange",credential_type="access_token"}': 1,
    [answered(200)]: 1,
  })
  expect(
    await moved(async () => {
      await exchange(acme, once, { audience: TARGET })
      await exchange(acme, assertion(), { audience: 'https://nowhere.example' })
      await exchange(acme, assertion({ exp: 1_000_000_000, iat: 999_999_000, nbf: 999_999_000 }), { audience: TARGET })
      await exchange(acme, 'no token', { audience: TARGET })
    }),
  ).toEqual({
    'mintmark_exchanges_total{tenant="acme",outcome="refused"}': 4,
    'mintmark_denials_total{tenant="acme",reason="evidence"}': 3,
    'mintmark_denials_total{tenant="acme",reason="target"}': 1,
    'mintmark_refusals_total{kind="replayed"}': 1,
    'mintmark_refusals_total{kind="target_unknown"}': 1,
    'mintmark_refusals_total{kind="expired"}': 1,
    'mintmark_refusals_total{kind="token_not_compact"}': 1,
    'mintmark_replays_total{tenant="acme"}': 1,
    'mintmark_attestation_failures_total{tenant="acme",provider="github"}': 1,
    'mintmark_attestation_failures_total{tenant="acme",provider="unknown"}': 1,
    [answered(400)]: 4,
  })
  await expect.poll(async () => (await scrape()).get('mintmark_exchanges_in_flight')).toBe(0)
})

test('what waits is shown: the feed, queues, keys, sinks, and a dead letter as soon as there is one', async () => {
  const { dataDir } = broker
  const series = await scrape()
  expect(series.get('mintmark_store_up')).toBe(1)
  expect(series.get('mintmark_clock_trusted')).toBe(1)
  expect(series.get('mintmark_dead_letters{queue="revoke"}')).toBe(0)
  expect(series.get('mintmark_keys_overdue{use="token"}')).toBe(0)
  expect(series.get('mintmark_key_age_seconds{use="token"}')).toBeLessThan(600)
  expect(series.get('mintmark_key_moves_total{move="activate",outcome="done"}')).toBeGreaterThanOrEqual(3)
  const database = new DatabaseSync(join(dataDir, 'mintmark.db'), { timeout: COMES_WITHIN_MS })
  database.exec(
    "INSERT INTO quarantined_message (queue, tenant, body, reason, at) VALUES ('revoke', 'acme', '{}', 'not_json', 1)",
  )
  database.close()
  const shown = async (name: string) => (await scrape()).get(name)
  await expect.poll(() => shown('mintmark_dead_letters{queue="revoke"}')).toBe(1)
  await expect.poll(() => shown('mintmark_sink_backlog{tenant="acme",sink="local"}')).toBe(0)
  await expect.poll(() => shown('mintmark_feed_backlog{topic="grant"}')).toBe(0)
  expect((await scrape()).get('mintmark_log_leaves')).toBeGreaterThan(0)
})

test('a receiver that takes nothing is shown with what it is owed and for how long', async () => {
  const shown = async (name: string) =>
    (await scrape()).get(`mintmark_receiver_${name}{tenant="acme",receiver="inner"}`)
  expect([await shown('backlog'), await shown('lag_seconds')]).toEqual([0, 0])
  const database = openDatabase({ dataDir: broker.dataDir, dev: null })
  try {
    const store = createRevocationStore(database)
    for (const value of ['1', '2'])
      await store.put(sampleRevocation({ id: value, kind: 'run', issuer: 'github', value }))
  } finally {
    database.close()
  }
  await expect.poll(() => shown('backlog')).toBe(2)
  await expect.poll(() => shown('lag_seconds')).toBeGreaterThan(0)
})

test('what no endpoint sees is counted by its status: what is not HTTP, no path, another encoding; health is not', async () => {
  const { port } = new URL(broker.url)
  const sendsGarbage = async () => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write('no request\r\n\r\n'))
    await once(socket.resume(), 'close')
  }
  const refused = (status: number) => `mintmark_http_refused_total{http_response_status_code="${status}"}`
  expect(
    await moved(async () => {
      await sendsGarbage()
      await sendsGarbage()
      await fetch(`${broker.url}/t/acme/nothing`)
      await fetch(`${acme}/token`, { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: 'x' })
      await fetch(`${broker.url}/readyz`, { method: 'POST' })
    }),
  ).toEqual({ [refused(400)]: 2, [refused(404)]: 1, [refused(415)]: 1 })
})

test('the process says what it uses', async () => {
  const series = await scrape()
  for (const name of ['process_resident_memory_bytes', 'nodejs_heap_size_used_bytes', 'process_cpu_seconds_total'])
    expect(series.get(name), name).toBeGreaterThan(0)
  expect(Math.abs(series.get('process_start_time_seconds')! - Date.now() / 1000)).toBeLessThan(600)
  expect([...series.keys()].filter((name) => name.startsWith('mintmark_event_loop_delay_seconds'))).toHaveLength(3)
})

test('row 36: whatever issuers, keys, subjects, tenants and kinds of refusal callers come up with, no series is added', async () => {
  const flood = (made: readonly string[]) =>
    Promise.all(
      made.flatMap((name) => [
        exchange(acme, assertion({ iss: `https://${name}.example`, sub: name }), { audience: TARGET, grant: name }),
        exchange(acme, signAssertion(key, githubClaims(acme), { kid: name }), { audience: name, scope: name }),
        exchange(`${broker.url}/t/${name.replaceAll('-', '')}`, assertion(), { audience: TARGET }).catch(() => null),
      ]),
    )
  await flood(['made-up-first'])
  const before = [...(await scrape()).keys()]
  await flood(Array.from({ length: 60 }, (_, at) => `made-up-${at}`))
  expect([...(await scrape()).keys()]).toEqual(before)
  expect(before.join('\n')).not.toMatch(/made-?up/)
})

test('the ops port has health and readiness, and nothing of the broker; the main port has no metrics', async () => {
  expect(await (await fetch(`${ops}/healthz`)).text()).toBe('ok')
  expect((await fetch(`${ops}/readyz`)).status).toBe(200)
  expect((await fetch(`${ops}/metrics`, { method: 'POST' })).status).toBe(405)
  for (const path of ['/', '/metrics/', '/t/acme/token', '/t/acme/jwks.json'])
    expect((await fetch(`${ops}${path}`)).status, path).toBe(404)
  expect((await fetch(`${broker.url}/metrics`)).status).toBe(404)
  expect(new URL(ops).hostname).toBe('127.0.0.1')
})

test('a page that comes by another name (DNS rebinding) reads nothing', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    request(`${ops}/metrics`, { headers: { host: 'evil.example' } }, (r) => resolve(r.resume().statusCode))
      .on('error', reject)
      .end()
  })
  expect(status).toBe(421)
})

describe('--ops-port', () => {
  test.each([
    ['9464', { host: '127.0.0.1', port: 9464 }],
    ['0.0.0.0:9464', { host: '0.0.0.0', port: 9464 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
    ['metrics.example:9464', null],
    ['65536', null],
    ['9464/metrics', null],
    ['', null],
  ])('%s', (text, place) => {
    expect(parseOpsPlace(text)).toEqual(place)
  })

  test('a port that is taken is no start, with the reason; what is no port is wrong usage', () => {
    const serve = (port: string) => {
      const args = ['serve', '--tenants', broker.tenantsDir, '--data', `${broker.dataDir}-2`, '--dev', '--port', '0']
      return spawnSync(process.execPath, ['bin/mintmark.ts', ...args, '--ops-port', port], { encoding: 'utf8' })
    }
    const taken = serve(new URL(ops).port)
    expect([taken.status, taken.stderr]).toEqual([
      3,
      expect.stringContaining('cannot listen on --ops-port: another program listens there'),
    ])
    expect(serve('here').status).toBe(2)
  })
})
