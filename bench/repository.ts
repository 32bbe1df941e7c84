// "Everything from this repository" with a million live tokens (`npm run bench -- repository [tokens]`), given in two ways: over HTTP
// by an operator, and by `mintmark revoke --project --data`, a process of its own. The clock begins when the order is accepted: with
// the 202, or with the command's row on the queue. It ends when introspection denies one of the tokens and when the next exchange is
// denied. What comes before (the request, the command's start) and what a dry run takes is printed apart. Printed, never asserted. All
// but one of the tokens are there as what the broker knows of them: their records.
import { spawn } from 'node:child_process'
import { argv, execPath } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../lib/adapters/sqlite/database.ts'
import type { GrantRecord } from '../lib/domain/grant-record.ts'
import { LIMITS } from '../lib/domain/limits.ts'
import { exchange, removeBroker, startBroker } from '../test/support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../test/support/evidence.ts'
import { freePort } from '../test/support/free-port.ts'
import { call, operatorTenant } from '../test/support/operators.ts'
import { TARGET } from '../test/support/tenants.ts'
import { fillRecords } from './fill-records.ts'

const TOKENS = Number(argv[2] ?? 1_000_000)
const PROJECT = '7654321'
const POLL_MS = 2

const key = issuerKey('RS256')
const port = await freePort()
const acme = `http://127.0.0.1:${port}/t/acme`
/** Who asks is of another repository, or the answer would be that the caller is denied. */
const WATCHER = `
  watcher:
    from: github
    match: { project.id: "1", environment.name: watcher }
    identity: /ops/{project.id}/watcher
    issue: [{ type: access_token, audience: ["${acme}"], scope: [introspect, admin], ttl: 1h }]
`
// Without the audit log, which would still be taking the million.
const options = {
  tenants: { acme: operatorTenant('acme', acme, key, '1234567') + WATCHER },
  args: ['--port', String(port), '--limits', 'off', '--audit-log', 'off'],
}

const mint = (runId: string) =>
  exchange(acme, signAssertion(key, githubClaims(acme, { environment: 'deploy', run_id: runId })), { audience: TARGET })

const seconds = (began: number): string => `${((performance.now() - began) / 1000).toFixed(2)} s`

const revoke = (dataDir: string, ...more: string[]): Promise<string> =>
  mintmark('revoke', '--tenant', 'acme', '--project', PROJECT, '--reason', 'bench', '--data', dataDir, ...more)

/** What the command prints; rejects when it fails. */
const mintmark = (...args: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(execPath, ['bin/mintmark.ts', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
    child.once('exit', (code) => (code === 0 ? resolve(printed) : reject(new Error(`${args[0]} exited with ${code}`))))
  })

/** The record of a true exchange, as many times as wanted, each with an id of its own and alive for an hour. */
const fill = async (dataDir: string): Promise<void> => {
  const database = openDatabase({ dataDir, dev: null })
  const row = database.read((sql) => sql('SELECT body FROM grant_record ORDER BY seq DESC LIMIT 1').get())
  database.close()
  const model = JSON.parse(String(row?.['body'])) as GrantRecord
  const exp = model.credential.iat + LIMITS.ttlSecondsMax
  await fillRecords(dataDir, TOKENS, {
    tenant: 'acme',
    bodyOf: (decisionId) =>
      JSON.stringify({ ...model, decisionId, credential: { ...model.credential, jti: decisionId, exp } }),
  })
}

type Bearer = { readonly reader: string; readonly token: string }

const introspected = async ({ reader, token }: Bearer): Promise<string> =>
  (await call(`${acme}/introspect`, { bearer: reader, form: { token } })).text
const isDenied = async (bearer: Bearer): Promise<boolean> => (await introspected(bearer)) === '{"active":false}'

/** Until introspection denies the token and an exchange is denied, from `accepted` on. */
const denials = async (bearer: Bearer, accepted: number): Promise<void> => {
  while (!(await isDenied(bearer))) await sleep(POLL_MS)
  console.log(`  introspection denied ${seconds(accepted)} after it was accepted`)
  const { status } = await mint('3')
  console.log(`  the next exchange: ${status}, answered ${seconds(accepted)} after it was accepted`)
}

const overHttp = async (bearer: Bearer): Promise<void> => {
  const json = { kind: 'project', value: PROJECT, reason: 'bench' }
  const asked = performance.now()
  const { status } = await call(`${acme}/admin/revocations`, { bearer: bearer.reader, json })
  if (status !== 202) throw new Error(`the order was answered ${status}`)
  console.log(`over HTTP: accepted (202) in ${seconds(asked)}`)
  await denials(bearer, performance.now())
}

/** That a new order is on the queue, or was already carried out: its row is there. */
const byCommand = async (dataDir: string, bearer: Bearer): Promise<void> => {
  const starting = performance.now()
  await mintmark('revoke', '--help')
  console.log(`to start the command alone takes ${seconds(starting)}`)
  const watching = openDatabase({ dataDir, dev: null })
  const orders = () =>
    Number(
      watching.read((sql) =>
        sql('SELECT (SELECT count(*) FROM queue_message) + (SELECT count(*) FROM revocation_order) AS n').get(),
      )?.['n'],
    )
  try {
    const before = orders()
    const began = performance.now()
    const revoked = revoke(dataDir).then(() =>
      console.log(`  the command was done ${seconds(began)} after it was started`),
    )
    while (orders() === before) await sleep(POLL_MS)
    console.log(`by the command: on the queue ${seconds(began)} after it was started`)
    await denials(bearer, performance.now())
    await revoked
  } finally {
    watching.close()
  }
}

const measure = async (dataDir: string): Promise<void> => {
  const watcher = githubClaims(acme, { environment: 'watcher', repository_id: '1' })
  const reader = String((await exchange(acme, signAssertion(key, watcher), { audience: acme })).body['access_token'])
  const token = String((await mint('2')).body['access_token'])
  const bearer = { reader, token }
  if (await isDenied(bearer)) throw new Error('denied before it was revoked')
  const dryRun = performance.now()
  const shown = await revoke(dataDir, '--dry-run')
  console.log(`dry run ${seconds(dryRun)}: ${shown.split('\n')[1]}`)

  await overHttp(bearer)
  const { id } = JSON.parse(await mintmark('revocations', '--tenant', 'acme', '--data', dataDir, '--json'))
    .revocations[0]
  await mintmark('unblock', id, '--reason', 'bench', '--data', dataDir)
  if (await isDenied(bearer)) throw new Error('denied though it was unblocked')
  await byCommand(dataDir, bearer)
}

const first = await startBroker(options)
const { dataDir } = first
try {
  await mint('1')
  await first.stop()
  const filling = performance.now()
  await fill(dataDir)
  console.log(`${TOKENS} live tokens of one repository, written in ${seconds(filling)}`)
  const broker = await startBroker({ ...options, dataDir })
  try {
    await measure(dataDir)
    const database = openDatabase({ dataDir, dev: null })
    const rows = database.read((sql) => sql('SELECT count(*) AS n FROM revocation').get())?.['n']
    database.close()
    console.log(`rows of revocations: ${rows}, one for each of the two orders`)
  } finally {
    await removeBroker(broker)
  }
} finally {
  await removeBroker(first)
}
