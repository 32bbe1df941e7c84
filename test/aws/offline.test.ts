// `npm run offline` as a user starts it: the zips under serverless-offline, everything of AWS behind signatures and the packaged
// policies, held to the suite of the embedded server.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange, patientExchange } from '../support/broker.ts'
import { callerHttpSuite, callerTenant } from '../support/caller-http-suite.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { exchangeSuite } from '../support/exchange-suite.ts'
import { freePort } from '../support/free-port.ts'
import { TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'

const key = issuerKey('RS256')
const tenantsDir = mkdtempSync(join(tmpdir(), 'mintmark-tenants-'))
const operator = join(tenantsDir, 'operator.sh')
let offline: ChildProcess
let output = ''
let url: string

const stopped = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('exit', resolve))

beforeAll(async () => {
  const port = String(await freePort())
  for (const [name, orgId] of [
    ['acme', '1234567'],
    ['globex', '7777777'],
  ] as const)
    writeFileSync(
      join(tenantsDir, `${name}.yaml`),
      callerTenant(name, `http://127.0.0.1:${port}/t/${name}`, key, orgId),
    )
  const args = ['scripts/offline.ts', '--tenants', tenantsDir, '--port', port, '--operator', operator, '--verbose']
  offline = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const ready = /^mintmark offline listening on (\S+)$/m.exec(output)
      if (ready) resolve(ready[1]!)
    }
    offline.stdout!.on('data', read)
    offline.stderr!.on('data', read)
    offline.once('exit', (code) => reject(new Error(`offline ended with ${code}: ${output.slice(-2_000)}`)))
  })
  // The emulator's first decision of each kind comes later than the functions wait; from then on it remembers them.
  for (const tenant of ['acme', 'globex']) await warm(`${url}/t/${tenant}`, tenant)
})

const warm = async (tenantUrl: string, tenant: string): Promise<void> => {
  const owner = { acme: '1234567', globex: '7777777' }[tenant]
  await until(
    `a token of ${tenant}`,
    async () => {
      const evidence = signAssertion(key, githubClaims(tenantUrl, { repository_owner_id: owner }))
      const { status } = await exchange(tenantUrl, evidence, { audience: TARGET })
      const keys = await fetch(`${tenantUrl}/jwks.json`)
      return { status, keys: keys.status, said: output.slice(-2_000) }
    },
    ({ status, keys }) => status === 200 && keys === 200,
  )
}

afterAll(async () => {
  // By SIGTERM, so that it ends what it started.
  if (offline?.exitCode === null) {
    const end = stopped(offline)
    offline.kill('SIGTERM')
    await end
  }
  rmSync(tenantsDir, { recursive: true, force: true })
})

exchangeSuite(() => ({ url, key }))
callerHttpSuite(() => ({ url, key }))

/** The command as a person runs it, after `. operator.sh`; once more where the first decisions of IAM took longer than it waits. */
const mintmark = (...args: string[]) =>
  until(
    `an answer of ${args.join(' ')}`,
    () => once(...args),
    ({ code }) => code !== 3,
  )
const once = async (...args: string[]) => {
  const child = spawn('sh', ['-c', '. "$0" && exec "$@"', operator, process.execPath, 'bin/mintmark.ts', ...args])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return { code: await stopped(child), said }
}
const exchangeOf = async (tenant: string, owner: string, more: Record<string, unknown>) => {
  const claims = githubClaims(`${url}/t/${tenant}`, { repository_owner_id: owner, ...more })
  return (await patientExchange(`${url}/t/${tenant}`, signAssertion(key, claims), { audience: TARGET })).status
}

test('an order by the command goes over the queue to revoke and is in force over HTTP when it returns, until it is lifted', async () => {
  const run = { run_id: '31337' }
  expect(await exchangeOf('acme', '1234567', run)).toBe(200)
  const order = ['revoke', '--tenant', 'acme', '--run', '31337', '--reason', 'runner compromised', '--aws', '--json']
  const ordered = await mintmark(...order)
  expect(ordered).toMatchObject({ code: 0 })
  const [id] = JSON.parse(ordered.said).revocations
  expect(await exchangeOf('acme', '1234567', run)).toBe(400)
  expect(await exchangeOf('acme', '1234567', {})).toBe(200)
  expect(await exchangeOf('globex', '7777777', run)).toBe(200)
  expect(await mintmark('unblock', id, '--reason', 'runner rebuilt', '--aws')).toMatchObject({ code: 0 })
  expect(await exchangeOf('acme', '1234567', run)).toBe(200)
})

test.each(['checkpoint', 'deliver', 'push', 'erase'])('%s runs by the schedule, to its end', async (fn) => {
  // The first runs end in decisions that come too late; what fails otherwise never ends.
  await expect.poll(() => output, { interval: 500 }).toContain(`(λ: ${fn}) RequestId`)
})

test('SIGTERM ends it, and nothing was asked that the policies could not judge', async () => {
  const end = stopped(offline)
  offline.kill('SIGTERM')
  expect(await end).toBe(0)
  await expect(fetch(`${url}/t/acme/jwks.json`)).rejects.toThrow()
})
