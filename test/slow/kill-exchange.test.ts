// SIGKILL at every point between the write, the signature and the answer (attacks §5 I1, I2). After each crash: every token a
// job received has its record, nothing was accepted twice, and what was spent stays spent after the restart.

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { exchange, startBroker, temporaryDirectory } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

const CRASHES = Number(process.env['MINTMARK_CRASHES'] ?? 90)
const ISSUER = 'http://127.0.0.1:1/t/acme'

/** mulberry32: the run is repeatable from its seed. */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

test(`${CRASHES} crashes: no token without its record, no assertion accepted twice`, async () => {
  const random = seeded(20_261_124)
  const key = issuerKey('RS256')
  const dataDir = join(temporaryDirectory(), 'data')
  const tenants = { acme: githubTenant('acme', { keys: [key] }) }
  const received = new Map<string, string>() // assertion -> jti of the token a job got
  let requests = 0
  for (let crash = 0; crash < CRASHES; crash += 1) {
    const point = ['K0', 'K2', 'K3'][crash % 3]!
    const broker = await startBroker({
      tenants,
      dataDir,
      entry: 'test/support/broker-with-failpoints.ts',
      args: ['--limits', 'off'],
      env: { FAILPOINT: `${point}:${1 + Math.floor(random() * 60)}` },
    })
    const exited = new Promise((resolve) => broker.child.once('exit', resolve))
    const url = `${broker.url}/t/acme`
    const spent = [...received.keys()].slice(-8)
    const job = async () => {
      while (broker.child.exitCode === null && broker.child.signalCode === null) {
        const assertion = signAssertion(key, githubClaims(ISSUER))
        requests += 1
        const answer = await exchange(url, assertion, { audience: TARGET }).catch(() => null)
        if (answer?.status === 200) {
          expect(received.has(assertion)).toBe(false)
          received.set(assertion, String(decodeJwt(String(answer.body['access_token'])).jti))
        }
        // The same again, at once: crash or not, never a second token.
        const again = await exchange(url, assertion, { audience: TARGET }).catch(() => null)
        if (again?.status === 200) {
          expect(received.has(assertion)).toBe(false)
          received.set(assertion, String(decodeJwt(String(again.body['access_token'])).jti))
        }
      }
    }
    const replays = spent.map(async (assertion) => {
      const answer = await exchange(url, assertion, { audience: TARGET }).catch(() => null)
      if (answer !== null) expect(answer.status).not.toBe(200)
    })
    await Promise.all([...Array.from({ length: 8 }, job), ...replays, exited])
  }
  expect(requests).toBeGreaterThan(CRASHES)
  expect(received.size).toBeGreaterThan(CRASHES)
  const database = new DatabaseSync(join(dataDir, 'mintmark.db'), { readOnly: true })
  const recorded = new Set<string>()
  for (const row of database.prepare('SELECT * FROM grant_record').iterate()) {
    const text = Object.values(row).find((value) => typeof value === 'string' && value.startsWith('{')) as string
    recorded.add((JSON.parse(text) as { credential: { jti: string } }).credential.jti)
  }
  for (const jti of received.values()) expect(recorded.has(jti)).toBe(true)
  console.log(`${CRASHES} crashes, ${requests} assertions, ${received.size} tokens, ${recorded.size} records`)
})
