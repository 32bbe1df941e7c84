// Proof of possession and the replay modes from outside (RFC 9449; design §3 Replay; issuers.md §0.12).
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { dpopProof, type Holder, newHolder } from '../support/dpop.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let once: string
let proof: string
let reuse: string
beforeAll(async () => {
  const tenant = (name: string, mode: string) =>
    githubTenant(name, { keys: [key] }).replace('provider: github', `provider: github\n    replay: ${mode}`)
  broker = await startBroker({
    tenants: { once: tenant('once', 'once'), proof: tenant('proof', 'proof'), reuse: tenant('reuse', 'reuse') },
  })
  ;[once, proof, reuse] = [`${broker.url}/t/once`, `${broker.url}/t/proof`, `${broker.url}/t/reuse`]
})
afterAll(() => removeBroker(broker))

const dpop = (
  holder: Holder,
  url: string,
  ...changes: [claims?: Record<string, unknown>, header?: Record<string, unknown>]
) => dpopProof(holder, `${url}/token`, ...changes)
const ask = (url: string, assertion: string, proofText?: string) =>
  exchange(url, assertion, { audience: TARGET }, proofText === undefined ? {} : { dpop: proofText })
const evidence = (url: string, overrides: Record<string, unknown> = {}) =>
  signAssertion(key, githubClaims(url, overrides))

test('a DPoP proof binds the token to its key', async () => {
  const holder = await newHolder()
  const answer = await ask(once, evidence(once), dpop(holder, once))
  expect(answer.body['token_type']).toBe('DPoP')
  expect(decodeJwt(String(answer.body['access_token']))['cnf']).toEqual({ jkt: holder.jkt })
})

test('a proof is good once: with other evidence the second is refused too', async () => {
  const holder = await newHolder()
  const text = dpop(holder, once)
  expect((await ask(once, evidence(once), text)).status).toBe(200)
  expect((await ask(once, evidence(once), text)).body['error']).toBe('invalid_dpop_proof')
})

test.each([
  ['another URL', { htu: 'https://evil.example/token' }, {}],
  ['another method', { htm: 'GET' }, {}],
  ['a stale iat', { iat: Math.floor(Date.now() / 1000) - 120 }, {}],
  ['no jti', { jti: undefined }, {}],
  ['another typ', {}, { typ: 'JWT' }],
  ['alg none', {}, { alg: 'none' }],
  ['a private key in the header', {}, { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: 'AA' } }],
])('a proof with %s is refused, and the evidence is not spent', async (_, claims, header) => {
  const holder = await newHolder()
  const assertion = evidence(once)
  expect((await ask(once, assertion, dpop(holder, once, claims, header))).body['error']).toBe('invalid_dpop_proof')
  expect((await ask(once, assertion)).status).toBe(200)
})

test('evidence that commits to a key is worthless without it', async () => {
  const [holder, thief] = [await newHolder(), await newHolder()]
  const assertion = evidence(once, { aud: `${once}#jkt=${holder.jkt}` })
  expect((await ask(once, assertion)).status).toBe(400)
  expect((await ask(once, assertion, dpop(thief, once))).status).toBe(400)
  expect((await ask(once, assertion, dpop(holder, once))).status).toBe(200)
})

test('replay: proof needs a key, pins the first one, and lets only its holder come back', async () => {
  const [holder, thief] = [await newHolder(), await newHolder()]
  const assertion = evidence(proof)
  expect((await ask(proof, assertion)).status).toBe(400)
  expect((await ask(proof, assertion, dpop(holder, proof))).status).toBe(200)
  expect((await ask(proof, assertion, dpop(thief, proof))).status).toBe(400)
  expect((await ask(proof, assertion, dpop(holder, proof))).status).toBe(200)
})

test('replay: reuse allows the same assertion until its maximum age, each time a credential of its own', async () => {
  const assertion = evidence(reuse)
  const [a, b] = [await ask(reuse, assertion), await ask(reuse, assertion)]
  expect([a.status, b.status]).toEqual([200, 200])
  const jti = (answer: typeof a) => decodeJwt(String(answer.body['access_token'])).jti
  expect(jti(a)).not.toBe(jti(b))
})
