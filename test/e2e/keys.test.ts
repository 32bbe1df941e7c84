// Own keys beside a running broker: what `mintmark keys` does is in force with the broker's next request (design §2, §3.3).
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
beforeAll(async () => {
  broker = await startBroker({ tenants: { acme: githubTenant('acme', { keys: [key] }) } })
  acme = `${broker.url}/t/acme`
})
afterAll(() => removeBroker(broker))

const keys = (...args: string[]) => {
  const all = ['bin/mintmark.ts', 'keys', ...args, '--tenant', 'acme', '--data', broker.dataDir, '--json']
  const done = spawnSync(process.execPath, all, { encoding: 'utf8' })
  return {
    code: done.status,
    stderr: done.stderr,
    ...(JSON.parse(done.stdout || '{}') as { keys?: { kid: string; alg: string; use: string; state: string }[] }),
  }
}
const served = async () =>
  ((await (await fetch(`${acme}/jwks.json`)).json()) as { keys: { kid: string; alg: string }[] }).keys
const mint = async () => {
  const answer = await exchange(acme, signAssertion(key, githubClaims(acme)), { audience: TARGET })
  const token = String(answer.body['access_token'])
  // A verifier that fetches keys now, as one that never saw this tenant before.
  await jwtVerify(token, createRemoteJWKSet(new URL(`${acme}/jwks.json`)), { issuer: acme, audience: TARGET })
  return decodeProtectedHeader(token).kid
}

test('rotate publishes a successor at once and goes on signing with the active key', async () => {
  const before = await mint()
  const rotated = keys('rotate')
  const prepared = rotated.keys!.find(({ state, use }) => state === 'prepared' && use === 'token')!
  expect((await served()).map(({ kid }) => kid)).toContain(prepared.kid)
  expect(await mint()).toBe(before)
})

test('a tainted key leaves the set at once, and the next token is signed by a successor', async () => {
  const before = (await mint())!
  const tainted = keys('taint', before, '--reason', 'found in a log')
  expect(tainted.code).toBe(0)
  expect((await served()).map(({ kid }) => kid)).not.toContain(before)
  expect(await mint()).not.toBe(before)
})

test('an unknown key or tenant is refused', () => {
  expect(keys('taint', 'no-such-key', '--reason', 'x').code).toBe(1)
  expect(keys('frobnicate').code).toBe(2)
})

test('metadata says what is built and nothing else', async () => {
  const oauth = (await (await fetch(`${broker.url}/.well-known/oauth-authorization-server/t/acme`)).json()) as Record<
    string,
    unknown
  >
  const oidc = (await (await fetch(`${acme}/.well-known/openid-configuration`)).json()) as Record<string, unknown>
  expect([oauth['issuer'], oidc['issuer']]).toEqual([acme, acme])
  expect(oauth).toMatchObject({
    token_endpoint: `${acme}/token`,
    jwks_uri: `${acme}/jwks.json`,
    grant_types_supported: expect.arrayContaining([
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ]),
  })
  expect(JSON.stringify(oauth)).not.toMatch(/aws|registration|authorization_endpoint/)
  const jwks = await fetch(`${acme}/jwks.json`)
  expect(jwks.headers.get('cache-control')).toMatch(/max-age=300/)
  const again = await fetch(`${acme}/jwks.json`, { headers: { 'if-none-match': jwks.headers.get('etag')! } })
  expect(again.status).toBe(304)
})

test('a machine whose clock is behind what the store has seen moves no key: exit 3, and all keys as they were', async () => {
  const before = keys('list').keys
  const sqlite = new DatabaseSync(join(broker.dataDir, 'mintmark.db'), { timeout: 5_000 })
  sqlite.exec('UPDATE time_mark SET highest_seconds = highest_seconds + 3600')
  sqlite.close()
  const refused = keys('rotate')
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('the clock is behind')])
  expect(keys('list').keys).toEqual(before)
})
