// The revocation feed over HTTP against the real broker (design §6): what is in it, in which order, and who can have made it.
import { createHash } from 'node:crypto'
import { compactVerify, createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run as keys } from '../../bin/commands/keys.ts'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { run as unblock } from '../../bin/commands/unblock.ts'
import type { FeedPage } from '../../lib/domain/revocation-feed.ts'
import { exchange, type RunningBroker, removeBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { TARGET } from '../support/tenants.ts'
import { startTwoTenants } from '../support/two-tenants.ts'
import { COMES_WITHIN_MS } from '../support/until.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
let globex: string
beforeAll(async () => {
  ;({ broker, acme, globex } = await startTwoTenants(key))
})
afterAll(() => removeBroker(broker))

const operate = async (run: typeof revoke, ...args: string[]) => {
  const io = captureIo()
  expect(await run([...args, '--data', broker.dataDir, '--json'], io), io.err()).toBe(0)
  return JSON.parse(io.out()) as Record<string, unknown>
}
const order = async (...args: string[]) =>
  (await operate(revoke, '--tenant', 'acme', '--reason', 'x', ...args))['revocations'] as string[]
const fetched = (query = '', tenantUrl = acme) => fetch(`${tenantUrl}/revocations${query}`)
/** As an independent verifier reads it: the signal key set of the tenant, the type, the issuer. */
const page = async (cursor: number): Promise<FeedPage> => {
  const jws = await (await fetched(`?since=${cursor}`)).text()
  const signal = createRemoteJWKSet(new URL(`${acme}/signal-jwks.json`), { timeoutDuration: COMES_WITHIN_MS })
  const { payload } = await jwtVerify(jws, signal, { issuer: acme, typ: 'mintmark-revocations+jwt' })
  return payload as unknown as FeedPage
}
const handles = (text: string): string[] => text.match(/.{16}/g) ?? []
const mint = async (claims: Record<string, unknown> = {}) => {
  const answer = await exchange(acme, signAssertion(key, githubClaims(acme, claims)), { audience: TARGET })
  return { claims: decodeJwt(String(answer.body['access_token'])), jti: String(answer.body['decision_id']) }
}

test('a tenant without revocations has a signed, empty feed', async () => {
  const empty = await page(0)
  expect(empty).toMatchObject({ iss: acme, seq: 0, since: 0, next: 0, block: '', cut: '', lift: '', before: [] })
  expect(empty.exp - empty.iat).toBe(60)
})

test('what is revoked is in the feed under the handles of the token’s rh, then gone again when it is lifted', async () => {
  const { claims, jti } = await mint({ run_id: '808' })
  const rh = claims['rh'] as string[]
  const before = await page(0)
  const [run] = await order('--run', '808')
  await order('--jti', jti)
  const delta = await page(before.seq)
  expect(delta).toMatchObject({ since: before.seq, seq: before.seq + 3, next: before.seq + 3 })
  // The run, the credential and its assertion: each is one of the token's own handles.
  expect(handles(delta.block).every((handle) => rh.includes(handle))).toBe(true)
  expect(new Set(handles(delta.block)).size).toBe(3)
  // Independently: the credential's handle is plain SHA-256 (design §6).
  const plain = createHash('sha256').update(`credential\0\0${jti}`).digest('base64url').slice(0, 16)
  expect(handles(delta.block)).toContain(plain)

  await operate(unblock, run!, '--reason', 'clean')
  const lifted = await page(delta.seq)
  expect([lifted.block, handles(lifted.lift).length, rh.includes(lifted.lift)]).toEqual(['', 1, true])
  const snapshot = await page(0)
  expect(handles(snapshot.block)).not.toContain(lifted.lift)
  expect(snapshot.lift).toBe('')
})

test('a cut is on the page of cuts with its bound in the future, and is no block', async () => {
  const { seq } = await page(0)
  await order('--project', '7654321', '--cut')
  const { cut, before, block } = await page(seq)
  const { claims } = await mint({ run_id: '909' }).catch(() => ({ claims: null }))
  expect([handles(cut).length, before.length, block]).toEqual([1, 1, ''])
  expect(before[0]).toBeGreaterThan(Date.now() / 1000)
  expect(claims).toBeNull()
})

test('the feed of one tenant says nothing of another, not even that something happened there', async () => {
  const there = async () => decodeJwt(await (await fetched('', globex)).text())['seq']
  const before = await there()
  await order('--run', '77')
  expect(await there()).toBe(before)
})

test('a page is signed by the signal key alone, and by that of its tenant', async () => {
  const jws = await (await fetched()).text()
  await expect(compactVerify(jws, createRemoteJWKSet(new URL(`${acme}/jwks.json`)))).rejects.toThrow()
  await expect(compactVerify(jws, createRemoteJWKSet(new URL(`${globex}/signal-jwks.json`)))).rejects.toThrow()
  const sets = await Promise.all(
    ['jwks.json', 'signal-jwks.json'].map(async (name) => {
      const { keys: served } = (await (await fetch(`${acme}/${name}`)).json()) as { keys: { kid: string }[] }
      return served.map(({ kid }) => kid)
    }),
  )
  expect(sets[0]!.filter((kid) => sets[1]!.includes(kid))).toEqual([])
  expect(sets[1]!.length).toBeGreaterThan(0)
})

test('a tainted signal key signs no further page', async () => {
  const kid = async () =>
    (
      JSON.parse(Buffer.from((await (await fetched()).text()).split('.')[0]!, 'base64url').toString()) as {
        kid: string
      }
    ).kid
  const before = await kid()
  await operate(keys as typeof revoke, 'taint', before, '--tenant', 'acme', '--reason', 'found in a log')
  // In force with the next page, though another process did it: the taint is a revocation, and the key's state is read.
  expect(await kid()).not.toBe(before)
  expect((await page(0)).iss).toBe(acme)
})

test('caches may keep a page for seconds; the query has one spelling; nothing else is served', async () => {
  const { status, headers } = await fetched()
  expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
    200,
    'application/mintmark-revocations+jwt',
    'public, max-age=5, stale-if-error=30',
  ])
  for (const query of [
    '?since=',
    '?since=01',
    '?since=-1',
    '?since=1&x=1',
    '?x',
    '?since=1e3',
    '?since=9999999999999999',
  ])
    expect((await fetched(query)).status, query).toBe(400)
  expect((await fetch(`${acme}/revocations`, { method: 'POST' })).status).toBe(405)
  expect((await fetched('', `${broker.url}/t/nobody`)).status).toBe(404)
})

test('a cursor of the future is told how much there is, not that all is well', async () => {
  const { seq } = await page(0)
  expect(await page(seq + 1_000_000)).toMatchObject({ since: seq, seq, next: seq })
})
