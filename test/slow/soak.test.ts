// Ten minutes of good and hostile requests against one broker: no crash, no leak, no long stall, and the good ones get through.
// MINTMARK_SOAK_SECONDS shortens it.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { exchange, removeBroker, startBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { PATIENCE } from '../support/until.ts'

const SECONDS = Number(process.env['MINTMARK_SOAK_SECONDS'] ?? 600)
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

const rssMegabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

test(`${SECONDS} s of mixed load: no leak, no crash, no stall`, {
  timeout: SECONDS * 1_000 + PATIENCE.testTimeout,
}, async () => {
  const key = issuerKey('RS256')
  const broker = await startBroker({
    tenants: { acme: githubTenant('acme', { keys: [key] }) },
    entry: 'test/support/broker-with-failpoints.ts',
    args: ['--limits', 'off'],
    env: { MEASURE: '1' },
  })
  const acme = `${broker.url}/t/acme`
  const audience = 'http://127.0.0.1:1/t/acme'
  const port = Number(new URL(broker.url).port)
  const good = () => signAssertion(key, githubClaims(audience))
  const post = (body: string, headers: Record<string, string> = FORM) =>
    fetch(`${acme}/token`, { method: 'POST', body, headers }).then((r) => r.arrayBuffer())
  const hostile: readonly (() => Promise<unknown>)[] = [
    () => post(`grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=${'.'.repeat(15_000)}`),
    () => post(`grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=${'A'.repeat(15_000)}.B.C`),
    () => post('x'.repeat(40_000)),
    () => post('a=b&'.repeat(5_000)),
    () => post(`subject_token=${'%'.repeat(3_000)}`),
    () => exchange(acme, `${good()}=`, { audience: TARGET }),
    () =>
      exchange(
        acme,
        signAssertion(
          key,
          githubClaims(audience, { deep: JSON.parse(`${'['.repeat(50)}${']'.repeat(50)}`) as unknown }),
        ),
        { audience: TARGET },
      ),
    () => exchange(acme, signAssertion(issuerKeyStranger, githubClaims(audience)), { audience: TARGET }),
    () =>
      exchange(acme, signAssertion(key, githubClaims(audience), { kid: `random-${Math.random()}` }), {
        audience: TARGET,
      }),
    () =>
      exchange(acme, signAssertion(key, githubClaims(audience, { iss: `https://${Math.random()}.example` })), {
        audience: TARGET,
      }),
    () => fetch(`${broker.url}/${Math.random()}`).then((r) => r.arrayBuffer()),
    () =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () =>
          socket.write('POST /t/acme/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n'),
        )
        socket.on('error', resolve)
        setTimeout(() => resolve(socket.destroy()), 50)
      }),
  ]
  const issuerKeyStranger = { ...issuerKey('RS256'), kid: key.kid }

  let issued = 0
  let attacks = 0
  const failures: string[] = []
  const end = Date.now() + SECONDS * 1000
  const rss: number[] = []
  const worker = async (index: number) => {
    for (let turn = index; Date.now() < end; turn += 1) {
      if (turn % 3 === 0) {
        attacks += 1
        await hostile[turn % hostile.length]!().catch(() => undefined)
      } else {
        const answer = await exchange(acme, good(), { audience: TARGET }).catch((error: Error) => ({
          status: 0,
          body: { error: error.message },
        }))
        if (answer.status === 200) issued += 1
        else failures.push(JSON.stringify(answer.body))
      }
    }
  }
  const sampler = setInterval(() => rss.push(rssMegabytes(broker.child.pid!)), 2_000)
  await Promise.all(Array.from({ length: 8 }, (_, index) => worker(index)))
  clearInterval(sampler)
  expect(broker.child.exitCode).toBeNull()
  await broker.stop()
  const delay = Number(/event-loop p99 ms: ([\d.]+)/.exec(broker.output())?.[1])
  const third = Math.max(1, Math.floor(rss.length / 3))
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  const [middle, last] = [mean(rss.slice(third, 2 * third)), mean(rss.slice(-third))]
  console.log(
    `soak: ${issued} issued, ${attacks} hostile, rss ${middle.toFixed(0)} -> ${last.toFixed(0)} MB, event-loop p99 ${delay} ms`,
  )
  expect(failures.slice(0, 3)).toEqual([])
  expect(issued).toBeGreaterThan(SECONDS)
  expect(last).toBeLessThan(256)
  expect(last).toBeLessThan(middle * 1.25 + 16)
  // The goal is 50 ms and the figure is printed above; on a shared machine only a stall of another order is a failure.
  expect(delay).toBeLessThanOrEqual(500)
  await removeBroker(broker)
})
