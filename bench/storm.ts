// A storm of revocations: 100,000 orders of one credential each in ten seconds, one urgent order in their middle, and a tenant that
// exchanges all the while (`npm run bench -- storm [orders]`). Printed, never asserted. The orders are put on the queue from a second
// process's place, at the rate they are to come; every one carries a token that `revoke` verifies.
import { randomUUID } from 'node:crypto'
import { argv } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, openDatabase } from '../lib/adapters/sqlite/database.ts'
import { createQueue } from '../lib/adapters/sqlite/queue.ts'
import { systemClock } from '../lib/adapters/system/clock.ts'
import { createIds } from '../lib/adapters/system/ids.ts'
import { sendOrder } from '../lib/flows/revocation/send-order.ts'
import { exchange, removeBroker, startBroker } from '../test/support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../test/support/evidence.ts'
import { freePort } from '../test/support/free-port.ts'
import { call, operatorTenant, tokenOf } from '../test/support/operators.ts'
import { TARGET } from '../test/support/tenants.ts'

const ORDERS = Number(argv[2] ?? 100_000)
const STORM_MS = 10_000
const BEFORE_MS = 5_000
/** What is sent waits for its turn at the disk, and none of it is to be lost. */
const PATIENCE_MS = 120_000
const TICK_MS = 20
const BACKGROUND = 4

const key = issuerKey('RS256')
const port = await freePort()
const acme = `http://127.0.0.1:${port}/t/acme`
const document = operatorTenant('acme', acme, key, '1234567')
const broker = await startBroker({ tenants: { acme: document }, args: ['--port', String(port), '--limits', 'off'] })

const newRun = () => String(Number.parseInt(randomUUID().slice(0, 8), 16))
const mint = (runId: string) =>
  exchange(acme, signAssertion(key, githubClaims(acme, { environment: 'deploy', run_id: runId })), { audience: TARGET })

const p99 = (millis: readonly number[]): number =>
  [...millis].sort((a, b) => a - b)[Math.floor(0.99 * millis.length)] ?? Number.NaN

/** Sends at the rate of the storm, whatever the queue says; resolves when the last is on the disk. */
const storm = async (database: Database, token: string): Promise<void> => {
  const queue = createQueue(database, 'revoke', systemClock)
  // As the broker makes them for orders and credentials: by time, so that their rows lie together.
  const ids = createIds(systemClock)
  const began = performance.now()
  const sent: Promise<void>[] = []
  while (sent.length < ORDERS) {
    const due = Math.min(ORDERS, Math.ceil(((performance.now() - began) / STORM_MS) * ORDERS))
    while (sent.length < due)
      sent.push(
        sendOrder(queue, {
          v: 1,
          id: ids.decisionId(),
          tenant: 'acme',
          selectors: [{ kind: 'credential', issuer: '', value: ids.decisionId() }],
          form: 'block',
          reason: 'storm',
          proof: { kind: 'token', token },
          orderedAtSeconds: systemClock.nowSeconds(),
        }),
      )
    await sleep(TICK_MS)
  }
  await Promise.all(sent)
}

/** From the 202 to the first answer of introspection that says it. */
const urgent = async (admin: string, reader: string): Promise<number> => {
  const { token } = await tokenOf(acme, { key, right: 'narrow' })
  const json = { kind: 'grant', value: 'narrow', reason: 'bench' }
  const { status, text } = await call(`${acme}/admin/revocations`, { bearer: admin, json })
  if (status !== 202) throw new Error(text)
  const accepted = performance.now()
  const told = async () => (await call(`${acme}/introspect`, { bearer: reader, form: { token } })).text
  while ((await told()) !== '{"active":false}') await sleep(5)
  return performance.now() - accepted
}

const measure = async (database: Database): Promise<void> => {
  const admin = (await tokenOf(acme, { key, right: 'operator' })).token
  const reader = (await tokenOf(acme, { key, right: 'reader' })).token
  let latencies: number[] = []
  let isOver = false
  const background = Array.from({ length: BACKGROUND }, async () => {
    while (!isOver) {
      const began = performance.now()
      await mint(newRun())
      latencies.push(performance.now() - began)
    }
  })
  await sleep(BEFORE_MS)
  const before = { count: latencies.length, p99: p99(latencies) }
  latencies = []

  const began = performance.now()
  const [, urgentMs] = await Promise.all([
    storm(database, admin),
    sleep(STORM_MS / 2).then(() => urgent(admin, reader)),
  ])
  const sentMs = performance.now() - began
  const waiting = () =>
    Number(database.read((sql) => sql("SELECT count(*) AS n FROM queue_message WHERE queue = 'revoke'").get())?.['n'])
  while (waiting() > 0) await sleep(100)
  const allMs = performance.now() - began
  const during = { count: latencies.length, p99: p99(latencies) }
  isOver = true
  await Promise.all(background)

  const inForce = database.read((sql) => sql('SELECT count(*) AS n FROM revocation').get())?.['n']
  console.log(`${ORDERS} orders on the queue after ${(sentMs / 1000).toFixed(1)} s, ${inForce} revocations`)
  console.log(`the urgent one in force after ${(urgentMs / 1000).toFixed(2)} s (goal: 5 s)`)
  console.log(`all carried out after ${(allMs / 1000).toFixed(1)} s (goal: 60 s)`)
  console.log(
    `exchange p99 before ${before.p99.toFixed(0)} ms (${before.count}), during ${during.p99.toFixed(0)} ms (${during.count}), x ${(during.p99 / before.p99).toFixed(2)} (goal: 2)`,
  )
}

try {
  const database = openDatabase({ dataDir: broker.dataDir, dev: null, waitMs: PATIENCE_MS })
  try {
    await measure(database)
  } finally {
    database.close()
  }
} finally {
  await removeBroker(broker)
}
