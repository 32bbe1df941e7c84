// The operator's port: what is counted, that nothing a caller sends can add to it but a number, and that it is nowhere else.
import { spawnSync } from 'node:child_process'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseOpsPlace } from '../../bin/embedded/ops.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
let ops: string
beforeAll(async () => {
  broker = await startBroker({ tenants: { acme: githubTenant('acme', { keys: [key] }) }, args: ['--ops-port', '0'] })
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
/** What moved between two scrapes, of those series that only exchanges move. */
const moved = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
  const before = await scrape()
  await work()
  const after = await scrape()
  return Object.fromEntries(
    [...after]
      .filter(([name]) => /^mintmark_(exchanges|denials)_total/.test(name))
      .map(([name, value]) => [name, value - (before.get(name) ?? Number.NaN)] as const)
      .filter(([, difference]) => difference !== 0),
  )
}

test('each answer is counted once, by its outcome, and each denial by what the caller was told', async () => {
  const once = assertion()
  expect(await moved(() => exchange(acme, once, { audience: TARGET }))).toEqual({
    'mintmark_exchanges_total{outcome="issued"}': 1,
  })
  expect(
    await moved(async () => {
      await exchange(acme, once, { audience: TARGET })
      await exchange(acme, assertion(), { audience: 'https://nowhere.example' })
      await exchange(acme, 'no token', { audience: TARGET })
    }),
  ).toEqual({
    'mintmark_exchanges_total{outcome="refused"}': 3,
    'mintmark_denials_total{reason="evidence"}': 2,
    'mintmark_denials_total{reason="target"}': 1,
  })
  expect((await scrape()).get('mintmark_exchanges_in_flight')).toBe(0)
})

test('the process says what it uses', async () => {
  const series = await scrape()
  for (const name of ['process_resident_memory_bytes', 'nodejs_heap_size_used_bytes', 'process_cpu_seconds_total'])
    expect(series.get(name), name).toBeGreaterThan(0)
  expect(Math.abs(series.get('process_start_time_seconds')! - Date.now() / 1000)).toBeLessThan(600)
  expect([...series.keys()].filter((name) => name.startsWith('mintmark_event_loop_delay_seconds'))).toHaveLength(3)
})

test('row 36: whatever issuers, keys, subjects, tenants and kinds of refusal callers come up with, no series is added', async () => {
  const before = [...(await scrape()).keys()]
  const made = Array.from({ length: 60 }, (_, at) => `made-up-${at}`)
  await Promise.all(
    made.flatMap((name) => [
      exchange(acme, assertion({ iss: `https://${name}.example`, sub: name }), { audience: TARGET, grant: name }),
      exchange(acme, signAssertion(key, githubClaims(acme), { kid: name }), { audience: name, scope: name }),
      exchange(`${broker.url}/t/${name.replaceAll('-', '')}`, assertion(), { audience: TARGET }).catch(() => null),
    ]),
  )
  expect([...(await scrape()).keys()]).toEqual(before)
  expect(before.length).toBeLessThan(30)
  expect(before.join('\n')).not.toMatch(/acme|made-up/)
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

  test('a port that is taken is no start, with the reason; what is no port is wrong usage', { timeout: 60_000 }, () => {
    const serve = (port: string) => {
      const args = ['serve', '--tenants', broker.tenantsDir, '--data', `${broker.dataDir}-2`, '--dev', '--port', '0']
      return spawnSync(process.execPath, ['bin/mintmark.ts', ...args, '--ops-port', port], { encoding: 'utf8' })
    }
    const taken = serve(new URL(ops).port)
    expect([taken.status, taken.stderr]).toEqual([
      3,
      expect.stringContaining('cannot listen on --ops-port (EADDRINUSE)'),
    ])
    expect(serve('here').status).toBe(2)
  })
})
