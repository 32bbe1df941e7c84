// Own keys of a running broker: what `mintmark keys` does, beside it or over HTTP, is in force with its next request (design §2, §3.3).
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../../bin/commands/keys.ts'
import { type RunningBroker, removeBroker } from '../support/broker.ts'
import { issuerKey } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { type Right, startOperatorBroker, tokenOf } from '../support/operators.ts'
import { TARGET } from '../support/tenants.ts'
import { COMES_WITHIN_MS } from '../support/until.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
beforeAll(async () => {
  ;({ broker, acme } = await startOperatorBroker(key))
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
const keysFromAfar = async (right: Right, ...args: string[]) => {
  const file = join(broker.tenantsDir, '..', `${right}.token`)
  writeFileSync(file, (await tokenOf(acme, { key, right })).token)
  const io = captureIo()
  const code = await run([...args, '--tenant-url', acme, '--token-file', file, '--json'], io)
  return { code, stderr: io.err(), answer: JSON.parse(io.out()) as Record<string, unknown> }
}
const served = async () =>
  ((await (await fetch(`${acme}/jwks.json`)).json()) as { keys: { kid: string; alg: string }[] }).keys
const mint = async () => {
  const { token } = await tokenOf(acme, { key, right: 'deploy' })
  // A verifier that fetches keys now, as one that never saw this tenant before.
  await jwtVerify(token, createRemoteJWKSet(new URL(`${acme}/jwks.json`), { timeoutDuration: COMES_WITHIN_MS }), {
    issuer: acme,
    audience: TARGET,
  })
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

test('behind a tainted key of the log the log verifies by what is published, and need not grow for it', async () => {
  const verify = (...args: string[]) => {
    const all = ['bin/mintmark.ts', 'audit', 'verify', '--tenant', 'acme', '--data', broker.dataDir, ...args]
    return spawnSync(process.execPath, all, { encoding: 'utf8' })
  }
  await expect.poll(() => verify().stdout).toMatch(/^good/)
  const anchor = join(broker.tenantsDir, '..', 'anchor')
  writeFileSync(anchor, await (await fetch(`${acme}/log/checkpoint`)).text())
  const { kid } = keys('list').keys!.find(({ use, state }) => use === 'log' && state === 'active')!
  expect(keys('taint', kid, '--reason', 'found in a log').code).toBe(0)
  await expect.poll(() => verify().stdout).toMatch(/^good/)
  // What an anchor saw is compared as before: that a key was tainted lets nobody off.
  expect(verify('--anchor', anchor).stdout).toMatch(/^good/)
  const seen = readFileSync(anchor, 'utf8')
  writeFileSync(anchor, seen.replace(/\n[^\n]+\n\n/, `\n${'A'.repeat(43)}=\n\n`))
  expect(verify('--anchor', anchor).stdout).toMatch(/^BAD.*checkpoint_invalid/)
})

test('an unknown key or tenant is refused', () => {
  expect(keys('taint', 'no-such-key', '--reason', 'x').code).toBe(1)
  expect(keys('frobnicate').code).toBe(2)
})

test('from afar the command shows, rotates and taints the very keys it does beside the broker', async () => {
  const { keys: beside } = keys('list')
  expect(await keysFromAfar('operator', 'list')).toEqual({
    code: 0,
    stderr: '',
    answer: { tenant: 'acme', moves: [], keys: beside },
  })
  const before = (await mint())!
  const tainted = await keysFromAfar('operator', 'taint', before, '--reason', 'found in a log')
  expect([tainted.code, tainted.answer['keys']]).toEqual([0, keys('list').keys])
  expect((await served()).map(({ kid }) => kid)).not.toContain(before)
  expect(await mint()).not.toBe(before)
  const rotated = await keysFromAfar('operator', 'rotate')
  expect([rotated.code, rotated.answer['keys']]).toEqual([0, keys('list').keys])
  expect(rotated.answer['moves']).toContainEqual(expect.objectContaining({ kind: 'generate' }))
})

test('from afar an unknown key, and whoever is no operator, are refused: exit 1, and all keys as they were', async () => {
  const before = keys('list').keys
  const unknown = await keysFromAfar('operator', 'taint', 'A'.repeat(43), '--reason', 'x')
  expect([unknown.code, unknown.answer['status'], unknown.stderr]).toEqual([
    1,
    404,
    expect.stringMatching(/^mintmark keys: /),
  ])
  const reader = await keysFromAfar('reader', 'rotate')
  expect([reader.code, reader.answer['status']]).toEqual([1, 403])
  expect(keys('list').keys).toEqual(before)
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
  const sqlite = new DatabaseSync(join(broker.dataDir, 'mintmark.db'), { timeout: COMES_WITHIN_MS })
  sqlite.exec('UPDATE time_mark SET highest_seconds = highest_seconds + 3600')
  sqlite.close()
  const refused = keys('rotate')
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('the clock is behind')])
  expect(keys('list').keys).toEqual(before)
})
