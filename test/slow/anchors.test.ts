// Anchors and the disk budget of a running broker: what is out of its reach shows what was done to its log, and a log that has no
// room left is nobody's loss.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run as audit } from '../../bin/commands/audit.ts'
import { run as sinks } from '../../bin/commands/sinks.ts'
import { exchange, type RunningBroker, removeBroker, startBroker, temporaryDirectory } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { freePort } from '../support/free-port.ts'
import { captureIo } from '../support/io.ts'
import { isSignedFor } from '../support/signed-request.ts'
import { startReceiver } from '../support/sink-receiver.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'
import { startWitness } from '../support/witness.ts'

const key = issuerKey('RS256')

/** A broker that can be stopped and started again on one directory and port. */
const setUp = async (more = '') => {
  const port = await freePort()
  const folder = temporaryDirectory()
  const dataDir = join(folder, 'data')
  const tenantUrl = `http://127.0.0.1:${port}/t/acme`
  const brokers: RunningBroker[] = []
  onTestFinished(async () => {
    for (const broker of brokers) await removeBroker(broker)
    rmSync(folder, { recursive: true, force: true })
  })
  const start = async (...args: string[]) => {
    const tenants = { acme: githubTenant('acme', { keys: [key] }) + more }
    const broker = await startBroker({ tenants, dataDir, args: ['--port', String(port), '--limits', 'off', ...args] })
    brokers.push(broker)
    return broker
  }
  let run = 1_000
  const mint = async () => {
    run += 1
    const assertion = signAssertion(key, githubClaims(tenantUrl, { run_id: String(run) }))
    const answer = await exchange(tenantUrl, assertion, { audience: TARGET })
    expect(answer.status).toBe(200)
    return String(answer.body['decision_id'])
  }
  const cli = async (command: typeof audit, ...args: string[]) => {
    const io = captureIo()
    const code = await command([...args, '--tenant', 'acme', '--data', dataDir], io)
    return { code, out: io.out(), err: io.err() }
  }
  return { folder, dataDir, tenantUrl, start, mint, cli }
}

const withoutLog = (from: string, to: string) => {
  for (const name of readdirSync(to)) if (name.startsWith('audit.db')) rmSync(join(to, name))
  for (const name of readdirSync(from)) if (name.startsWith('audit.db')) cpSync(join(from, name), join(to, name))
}

test('a log that was set back is named by the anchors the broker was told of, and by its witness', async () => {
  const { folder, dataDir, tenantUrl, start, mint, cli } = await setUp()
  let logKey: KeyObject | undefined
  const witness = await startWitness(() => logKey!)
  const file = join(folder, 'anchors')
  writeFileSync(file, '')
  const anchors = ['--anchor', file, '--anchor', `${witness.url}#${witness.vkey}`]

  let broker = await start()
  expect(broker.output()).toContain('WARNING: no --anchor')
  await mint()
  await expect.poll(async () => (await cli(audit, 'verify')).code).toBe(0)
  expect((await cli(audit, 'verify')).err).toContain('warning: no anchor')
  expect((await cli(sinks)).err).toContain('no anchor has a checkpoint of this log')
  const { keys } = (await (await fetch(`${tenantUrl}/log/jwks.json`)).json()) as { keys: { x: string }[] }
  logKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: keys[0]!.x }, format: 'jwk' })
  await broker.stop()

  broker = await start(...anchors)
  expect(broker.output()).toContain(`WARNING: --anchor ${file} is this user's own file`)
  const note = async (path: string) => (await fetch(`${tenantUrl}/log/${path}`)).text()
  await expect.poll(async () => witness.hasSigned(await note('witnessed'))).toBe(true)
  expect((await cli(sinks)).out).toContain(`anchor ${witness.url}: `)
  await expect.poll(async () => (await cli(audit, 'verify')).err).toBe('')
  await broker.stop()
  const before = join(folder, 'before')
  cpSync(dataDir, before, { recursive: true })

  broker = await start('--anchor', file)
  const last = await mint()
  await expect.poll(async () => (await cli(audit, 'prove', last)).code).toBe(0)
  await broker.stop()
  const good = await cli(audit, 'verify')
  expect([good.code, good.err]).toEqual([0, ''])

  withoutLog(before, dataDir)
  const bad = await cli(audit, 'verify')
  expect(bad.code).toBe(1)
  expect(bad.out).toContain('(truncated)')
})

test('a file that cannot be appended to, and a witness without its key, keep the broker from starting', async () => {
  const { start } = await setUp()
  await expect(start('--anchor', '/nowhere/anchors')).rejects.toThrow(/exited with 2.*cannot|exited with 2/s)
  await expect(start('--anchor', 'https://witness.example')).rejects.toThrow(/needs the verifier key/)
})

test('logs that have the disk they may have wait: exchanges go on, an operator is told, and with room all of it is in the log', async () => {
  const { start, mint, cli } = await setUp()
  let broker = await start('--audit-disk', '1MB')
  const ids: string[] = []
  await until(
    'a log that has the disk it may have',
    async () => {
      for (let count = 0; count < 20; count += 1) ids.push(await mint())
      return broker.output()
    },
    (output) => output.includes('"alarm":"log_budget_reached"'),
  )
  for (let count = 0; count < 20; count += 1) ids.push(await mint())
  await broker.stop()
  expect((await cli(audit, 'prove', ids.at(-1)!)).code).toBe(1)

  broker = await start()
  await expect.poll(async () => (await cli(audit, 'prove', ids.at(-1)!)).code).toBe(0)
  await broker.stop()
  expect((await cli(audit, 'verify')).code).toBe(0)
  const { out } = await cli(audit, 'search', '--code', 'granted', '--limit', '10000', '--json')
  const granted = (JSON.parse(out) as { events: { metadata: { uid: string } }[] }).events
  expect(granted.map(({ metadata }) => metadata.uid).sort()).toEqual([...ids].sort())
})

test('what a webhook is sent verifies with the key the broker publishes, by RFC 9421 and nothing of ours', async () => {
  const receiver = await startReceiver((_, response) => void response.writeHead(204).end())
  const { tenantUrl, start, mint } = await setUp(`\nsinks:\n  hook: { type: webhook, url: "${receiver.url}/hook" }\n`)
  await start()
  await mint()
  await expect.poll(() => receiver.all.length).toBeGreaterThan(0)
  const jwks = await (await fetch(`${tenantUrl}/log/jwks.json`)).json()
  expect(isSignedFor(`${receiver.url}/hook`, receiver.all[0]!, jwks as never)).toBe(true)
})
