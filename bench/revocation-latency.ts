// From "order accepted" (the 202) to the first denial, at introspection, at mint and at the offline verifier, and to the arrival of
// the SET at a pushed receiver, against a real broker whose tenant is exchanging all the while (`npm run bench -- revocations
// [how many]`). Printed, never asserted.
import { randomUUID } from 'node:crypto'
import { argv } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { createVerifier } from '../lib/verify/verifier.ts'
import { exchange, removeBroker, startBroker } from '../test/support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../test/support/evidence.ts'
import { freePort } from '../test/support/free-port.ts'
import { call, operatorTenant, tokenOf } from '../test/support/operators.ts'
import { authorityFile, startReceiver } from '../test/support/receiver.ts'
import { TARGET } from '../test/support/tenants.ts'

const REVOCATIONS = Number(argv[2] ?? 1_000)
const AT_ONCE = 4
const BACKGROUND = 4
const OFFLINE = 100

const key = issuerKey('RS256')
const port = await freePort()
const acme = `http://127.0.0.1:${port}/t/acme`
const authority = authorityFile()
/** When the SET of a revocation came, by its handle. */
const arrivals = new Map<string, number>()
const receiver = await startReceiver((response, { body }) => {
  const subject = decodeJwt(body)['sub_id'] as { readonly id?: string }
  arrivals.set(String(subject.id), performance.now())
  response.writeHead(202).end()
})
const receivers = `\nreceivers:\n  edge: { type: webhook, url: "${receiver.url()}" }\n`
const document = operatorTenant('acme', acme, key, '1234567') + receivers
const egress = ['--egress-allow', '127.0.0.0/8', '--egress-allow', '::1/128']
const broker = await startBroker({
  tenants: { acme: document },
  args: ['--port', String(port), '--limits', 'off', ...egress],
  env: { NODE_EXTRA_CA_CERTS: authority.path },
})

const handlesOf = (token: string): readonly string[] => decodeJwt(token)['rh'] as string[]
const newRun = () => String(Number.parseInt(randomUUID().slice(0, 8), 16))
const mint = (runId: string) =>
  exchange(acme, signAssertion(key, githubClaims(acme, { environment: 'deploy', run_id: runId })), { audience: TARGET })
const order = async (admin: string, runId: string): Promise<number> => {
  const json = { kind: 'run', value: runId, reason: 'bench' }
  const { status, text } = await call(`${acme}/admin/revocations`, { bearer: admin, json })
  if (status !== 202) throw new Error(text)
  return performance.now()
}

const until = async (isDenied: () => Promise<boolean>, everyMs: number): Promise<number> => {
  while (!(await isDenied())) await sleep(everyMs)
  return performance.now()
}

const percentiles = (millis: readonly number[]): string => {
  const sorted = [...millis].sort((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
  return [0.5, 0.99, 1].map((part) => `${part === 1 ? 'max' : `p${part * 100}`} ${at(part).toFixed(0)} ms`).join(', ')
}

const measure = async (): Promise<void> => {
  const admin = (await tokenOf(acme, { key, right: 'operator' })).token
  const reader = (await tokenOf(acme, { key, right: 'reader' })).token
  let isOver = false
  let exchanged = 0
  const background = Array.from({ length: BACKGROUND }, async () => {
    while (!isOver) if ((await mint(newRun())).status === 200) exchanged += 1
  })

  const atIntrospection: number[] = []
  const atMint: number[] = []
  const atReceiver: number[] = []
  let left = REVOCATIONS
  const began = performance.now()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left > 0) {
        left -= 1
        const runId = newRun()
        const token = String((await mint(runId)).body['access_token'])
        const acceptedAt = await order(admin, runId)
        const told = async () => (await call(`${acme}/introspect`, { bearer: reader, form: { token } })).text
        const arrived = () => handlesOf(token).find((handle) => arrivals.has(handle))
        const [introspected, minted] = await Promise.all([
          until(async () => (await told()) === '{"active":false}', 2),
          until(async () => (await mint(runId)).status === 400, 2),
          until(async () => arrived() !== undefined, 2),
        ])
        atIntrospection.push(introspected - acceptedAt)
        atMint.push(minted - acceptedAt)
        atReceiver.push(arrivals.get(arrived()!)! - acceptedAt)
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  console.log(
    `${REVOCATIONS} revocations, ${AT_ONCE} at a time, beside ${(exchanged / seconds).toFixed(0)} exchanges a second`,
  )
  console.log(`introspection  ${percentiles(atIntrospection)} (goal: p50 500 ms, p99 2000 ms)`)
  console.log(`mint           ${percentiles(atMint)} (goal: p50 500 ms, p99 2000 ms)`)
  console.log(`receiver       ${percentiles(atReceiver)} (goal: p99 5000 ms)`)

  const verifier = createVerifier({ issuer: acme, audience: TARGET })
  const offline = await Promise.all(
    Array.from({ length: OFFLINE }, async (_, at) => {
      const runId = newRun()
      const token = String((await mint(runId)).body['access_token'])
      await verifier.verify(token)
      // Spread over more than a poll.
      await sleep(at * 200)
      const acceptedAt = await order(admin, runId)
      return (await until(async () => !(await verifier.verify(token)).ok, 20)) - acceptedAt
    }),
  )
  console.log(`offline        ${percentiles(offline)} with a poll every 15 s (goal: 60 s)`)
  isOver = true
  await Promise.all(background)
}

try {
  await measure()
} finally {
  await removeBroker(broker)
  await receiver.close()
  authority.remove()
}
