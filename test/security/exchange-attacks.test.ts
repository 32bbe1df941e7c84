// Rows of the attack catalogue that need more than one token in hand: a store, a clock, a second tenant, or a whole broker.
// The others are in attack-rows.test.ts; attack-coverage.test.ts says which row is where.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { LIMITS } from '../../lib/domain/limits.ts'
import { attestEvidence } from '../../lib/flows/attest-evidence.ts'
import { parseForm } from '../../lib/wire/form.ts'
import { STORES } from '../contract/stores.ts'
import { exchange, type RunningBroker, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { ownKeys } from '../support/own-keys.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'
import { engineWorld, memoryMint } from './memory-mint.ts'

const key = issuerKey('RS256')
const withSignatureOf = (token: string, other: string): string =>
  `${token.slice(0, token.lastIndexOf('.'))}.${other.slice(other.lastIndexOf('.') + 1)}`

describe.each(STORES)('on %s', (_, open) => {
  const own = ownKeys()
  const mintOn = async () => {
    const { close, ...world } = await engineWorld(open, own)
    onTestFinished(close)
    return memoryMint(key, undefined, world)
  }

  test('row 52: evidence is expired by its own exp, whether its marker is still there, was kept too long, or is gone', async () => {
    const first = await mintOn()
    const evidence = first.assertion()
    expect((await first.mint(first.request(evidence))).ok).toBe(true)
    // As a store that deletes late, and one that lost the row: neither decides whether it is too old.
    own.clock.add(300 + LIMITS.leewaySeconds + 1)
    const emptied = await mintOn()
    for (const seconds of [0, LIMITS.replayMarkerKeepSeconds, LIMITS.recordKeepSeconds]) {
      own.clock.add(seconds)
      for (const broker of [first, emptied])
        expect(await broker.mint(broker.request(evidence))).toMatchObject({ ok: false, refusal: { kind: 'expired' } })
    }
  })

  test('row 61: no verdict on one token is found under another, in either order', async () => {
    const broker = await mintOn()
    const [good, other] = [broker.assertion(), broker.assertion()]
    const twin = withSignatureOf(good, other)
    const kindOf = async (token: string) => {
      const answer = await broker.mint(broker.request(token))
      return answer.ok ? 'issued' : answer.refusal.kind
    }
    // Everything but the signature is the same: what is keyed by less than the whole token takes one for the other.
    expect([await kindOf(twin), await kindOf(good), await kindOf(twin)]).toEqual([
      'signature_invalid',
      'issued',
      'signature_invalid',
    ])
  })

  test('row 61: a verdict does not outlive the key it rests on', async () => {
    const broker = await mintOn()
    const evidence = broker.assertion()
    const config = (await broker.tenants.current('acme'))!
    const nowSeconds = broker.clock.nowSeconds()
    const verified = await attestEvidence(broker.ports, { config, token: evidence, nowSeconds })
    expect(verified.ok).toBe(true)
    await broker.applyToAcme(githubTenant('acme', { keys: [issuerKey('RS256')] }))
    const attested = verified.ok ? verified.attested : null
    for (const carried of [attested, undefined])
      expect(await broker.mint(broker.request(evidence, { attested: carried }))).toMatchObject({
        ok: false,
        refusal: { kind: 'key_unknown' },
      })
  })

  test('row 62: an Idempotency-Key is recorded and compared as its SHA-256: no prefix of it can be timed', async () => {
    const broker = await mintOn()
    const idempotencyKey = 'k7Vd0pQz1xYw2AbC3dEf4g'
    await broker.mint(broker.request(broker.assertion(), { idempotencyKey }))
    expect((await broker.grants.records())[0]?.idempotency?.keyHash).toBe(broker.ports.digest.sha256(idempotencyKey))
    expect(JSON.stringify(await broker.grants.records())).not.toContain(idempotencyKey)
  })
})

test('row 62: nothing secret is compared byte by byte: whoever computes a MAC to check one uses timingSafeEqual', () => {
  /** Make MACs and check none: handles are public, verifiers look them up; requests of S3 are signed. */
  const MAKES_ONLY = ['lib/adapters/keys/revocation-handles.ts', 'lib/adapters/aws/s3-objects.ts']
  const files = ['lib', 'functions', 'bin'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  )
  const makesMac = files.filter((file) => readFileSync(file, 'utf8').includes('createHmac'))
  const comparing = makesMac.filter((file) => !MAKES_ONLY.includes(file))
  expect(makesMac).toEqual(expect.arrayContaining(MAKES_ONLY)) // the search itself works
  expect(comparing.filter((file) => !readFileSync(file, 'utf8').includes('timingSafeEqual'))).toEqual([])
})

test('row 37: thousands of tiny parameters are counted before any is decoded', () => {
  const form = 'a=&'.repeat(LIMITS.bodyBytesMax / 3)
  expect(parseForm(form)).toMatchObject({ ok: false, refusal: { detail: { problem: 'too many parameters' } } })
})

describe('against a whole broker', () => {
  let broker: RunningBroker
  let acme: string
  let globex: string
  beforeAll(async () => {
    broker = await startBroker({
      tenants: {
        acme: githubTenant('acme', { keys: [key] }),
        globex: githubTenant('globex', { keys: [key], orgId: '7777777' }),
      },
    })
    acme = `${broker.url}/t/acme`
    globex = `${broker.url}/t/globex`
  })
  afterAll(() => removeBroker(broker))
  const assertion = (overrides: Record<string, unknown> = {}) => signAssertion(key, githubClaims(acme, overrides))

  test('row 37: 32 KiB of body in pieces of one byte are read by a loop, not by recursion', async () => {
    const { hostname, port } = new URL(broker.url)
    const body = `grant_type=x&subject_token=${'A'.repeat(LIMITS.bodyBytesMax - 27)}`
    const socket = connect(Number(port), hostname)
    socket.setNoDelay(true)
    socket.write(
      `POST /t/acme/token HTTP/1.1\r\nhost: ${hostname}:${port}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n`,
    )
    socket.write(Array.from(body, (byte) => `1\r\n${byte}\r\n`).join(''))
    socket.write('0\r\n\r\n')
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect((await exchange(acme, assertion(), { audience: TARGET })).status).toBe(200)
  })

  test('row 50: one jti in two tenants is two pieces of evidence, and each is redeemed once', async () => {
    const jti = 'shared-jti-1'
    const mine = assertion({ jti })
    const theirs = signAssertion(key, githubClaims(globex, { jti, repository_owner_id: '7777777' }))
    const statuses = [
      (await exchange(acme, mine, { audience: TARGET })).status,
      (await exchange(globex, theirs, { audience: TARGET })).status,
      (await exchange(acme, mine, { audience: TARGET })).status,
      (await exchange(globex, theirs, { audience: TARGET })).status,
    ]
    expect(statuses).toEqual([200, 200, 400, 400])
  })

  test('row 65: what claims bring writes no line, no escape sequence and no cell of its own into what operators read', async () => {
    const hostile = '\r\n{"message":"forged"}\n=cmd|calc\u001b[2J\u001b]0;owned\u0007\u009b2J\u2028\u202e'
    const claims = { environment: hostile, ref: `refs/heads/${hostile}`, actor: hostile, sub: `repo:${hostile}` }
    const denied = await exchange(acme, assertion(claims), { audience: TARGET, grant: 'deploy-prod' })
    const decision = (...more: string[]) => {
      const args = ['decision', String(denied.body['decision_id']), '--data', broker.dataDir, ...more]
      return spawnSync(process.execPath, ['bin/mintmark.ts', ...args], { encoding: 'utf8' }).stdout
    }
    const text = await until('the record of the denial', decision, (shown) => shown.includes('cmd|calc'))
    // Line ends are ours; colours are for a terminal, and this is none.
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
    expect(text.split('\n').filter((line) => /^\s*[{=]/.test(line))).toEqual([])
    expect(JSON.parse(decision('--json'))).toMatchObject({ kind: 'deny' })
    expect(broker.output()).not.toMatch(/forged|cmd\|calc/)
  })

  test('row 68: a token of ours is no evidence, by whichever grant, type and tenant it comes back', async () => {
    const minted = String((await exchange(acme, assertion(), { audience: TARGET })).body['access_token'])
    const types = ['jwt', 'id_token', 'access_token'].map((type) => `urn:ietf:params:oauth:token-type:${type}`)
    for (const url of [acme, globex])
      for (const subject_token_type of types) {
        const answer = await exchange(url, minted, { subject_token_type, audience: TARGET })
        expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request'])
      }
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    const body = new URLSearchParams({ grant_type, assertion: minted, audience: TARGET })
    const bearer = await fetch(`${acme}/token`, { method: 'POST', body })
    expect([bearer.status, ((await bearer.json()) as { error: string }).error]).toEqual([400, 'invalid_grant'])
  })
})
