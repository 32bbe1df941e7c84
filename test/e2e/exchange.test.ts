// The exchange from outside, over HTTP, through the real broker process and a real SQLite file.
import { spawnSync } from 'node:child_process'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, exchange, type RunningBroker, removeBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { exchangeSuite } from '../support/exchange-suite.ts'
import { TARGET } from '../support/tenants.ts'
import { startTwoTenants } from '../support/two-tenants.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
const assertion = (overrides: Record<string, unknown> = {}) => signAssertion(key, githubClaims(acme, overrides))

beforeAll(async () => {
  ;({ broker, acme } = await startTwoTenants(key))
})
afterAll(() => removeBroker(broker))

const decision = (id: unknown) => {
  const done = spawnSync(
    process.execPath,
    ['bin/mintmark.ts', 'decision', String(id), '--data', broker.dataDir, '--json'],
    { encoding: 'utf8' },
  )
  return JSON.parse(done.stdout) as Record<string, never>
}

const explained = ({ body }: Answer) => JSON.stringify(decision(body['decision_id']))

exchangeSuite(() => ({ url: broker.url, key }))

describe('a good exchange', () => {
  test('keeps the trace it came with', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const answer = await exchange(
      acme,
      assertion(),
      { audience: TARGET },
      { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    )
    expect(decodeJwt(String(answer.body['access_token']))['txn']).toBe(trace)
    expect(JSON.stringify(decision(answer.body['decision_id']))).toContain(trace)
  })
})

describe('once', () => {
  test('the same assertion again is refused, and the record names the first redemption', async () => {
    const token = assertion()
    const first = await exchange(acme, token, { audience: TARGET })
    const second = await exchange(acme, token, { audience: TARGET })
    expect([first.status, second.status]).toEqual([200, 400])
    expect(second.body['error']).toBe('invalid_request')
    await expect.poll(() => explained(second)).toContain(String(first.body['decision_id']))
  })

  test('of sixteen racing requests exactly one wins', async () => {
    const token = assertion()
    const answers = await Promise.all(Array.from({ length: 16 }, () => exchange(acme, token, { audience: TARGET })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(15)
  })
})

describe('explained', () => {
  test('an operator sees which condition failed, on what value', async () => {
    const denied = await exchange(acme, assertion({ ref: 'refs/heads/feature-x' }), { audience: TARGET })
    await expect.poll(() => explained(denied)).toContain('no_grant_matches')
    const text = explained(denied)
    expect(text).toContain('refs/heads/feature-x')
    expect(text).toContain('ref.full')
  })
})

describe('HTTP', () => {
  const post = (init: RequestInit, path = '/token') => fetch(`${acme}${path}`, { method: 'POST', ...init })

  test.each(['/token/', '//token', '/token/..', '/Token', '/unknown'])(
    'only exact paths are served: %s',
    async (path) => {
      expect(
        (await post({ body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, path)).status,
      ).toBe(404)
    },
  )

  test('health and readiness say a status and nothing else', async () => {
    expect([await (await fetch(`${broker.url}/healthz`)).text(), (await fetch(`${broker.url}/readyz`)).status]).toEqual(
      ['ok', 200],
    )
  })

  test('under --dev a foreign Host is not answered (DNS rebinding)', async () => {
    const { request } = await import('node:http')
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${broker.url}/healthz`, { headers: { host: 'evil.example' } }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on('error', reject)
        .end()
    })
    expect(status).toBe(421)
  })
})
