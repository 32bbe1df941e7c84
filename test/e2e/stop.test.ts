// What stops a broker, and what does not. The start command of the contract, through npm, as a service manager has it: who stops npm
// stops the broker.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { exchange, removeBroker, startBroker, temporaryDirectory } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    () => true,
    () => false,
  )

test('SIGTERM to npm stops the broker it started: no orphan keeps the port', async () => {
  const dir = temporaryDirectory()
  mkdirSync(join(dir, 'tenants'))
  writeFileSync(join(dir, 'tenants', 'acme.yaml'), githubTenant('acme', { keys: [issuerKey('RS256')] }))
  const serve = ['serve', '--tenants', join(dir, 'tenants'), '--data', join(dir, 'data'), '--port', '0', '--dev']
  // A group of its own, so that an orphan can be ended here.
  const npm = spawn('npm', ['run', '-s', 'mintmark', '--', ...serve], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const { pid } = npm
  onTestFinished(() => {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch (error) {
      expect(error).toMatchObject({ code: 'ESRCH' })
    }
  })
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const ready = /mintmark listening on (\S+)/.exec(output)
      if (ready) resolve(ready[1]!)
    }
    npm.stdout.on('data', read)
    npm.stderr.on('data', read)
    npm.once('exit', () => reject(new Error(`npm ended: ${output}`)))
  })
  expect(await answers(url)).toBe(true)
  const ended = new Promise((resolve) => npm.once('exit', resolve))
  npm.kill('SIGTERM')
  await ended
  await until(
    'nobody listens any more',
    () => answers(url),
    (isThere) => !isThere,
  )
})

test('whoever read the log of a broker goes away: the broker stays, and ends well', async () => {
  const broker = await startBroker({ tenants: { acme: githubTenant('acme', { keys: [issuerKey('RS256')] }) } })
  onTestFinished(() => removeBroker(broker))
  broker.child.stdout?.destroy()
  broker.child.stderr?.destroy()
  // Each is a line of the log.
  const refused = () =>
    fetch(`${broker.url}/t/acme/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt' },
      body: 'no.set.atall',
    })
  for (let times = 0; times < 3; times += 1) {
    expect((await refused()).status).toBe(400)
    await sleep(100)
  }
  expect(await broker.stop(), broker.output()).toBe(0)
})

test('a broker that cannot start ends, though it listened already', async () => {
  const options = { tenants: { acme: githubTenant('acme', { keys: [issuerKey('RS256')] }) } }
  const broker = await startBroker(options)
  onTestFinished(() => removeBroker(broker))
  await broker.stop()
  const { dataDir } = broker
  for (const end of ['-wal', '-shm']) rmSync(join(dataDir, `audit.db${end}`), { force: true })
  writeFileSync(join(dataDir, 'audit.db'), 'garbage'.repeat(1_000))
  await expect(startBroker({ ...options, dataDir })).rejects.toThrow(/exited with 3: .*not a database/s)
})

const FULL = '/dev/full'

test.skipIf(!existsSync(FULL))(
  'a log that cannot be written, on a full disk, does not stop a broker either',
  async () => {
    const dir = temporaryDirectory()
    mkdirSync(join(dir, 'tenants'))
    writeFileSync(join(dir, 'tenants', 'acme.yaml'), githubTenant('acme', { keys: [issuerKey('RS256')] }))
    const full = openSync(FULL, 'w')
    // Its warnings at the start are the first that is not written.
    const broker = spawn(
      process.execPath,
      [
        'bin/mintmark.ts',
        'serve',
        '--tenants',
        join(dir, 'tenants'),
        '--data',
        join(dir, 'data'),
        '--port',
        '0',
        '--dev',
      ],
      { stdio: ['ignore', 'pipe', full] },
    )
    closeSync(full)
    onTestFinished(() => void broker.kill('SIGKILL'))
    const ended = new Promise((resolve) => broker.once('exit', resolve))
    const said = await Promise.race([new Promise((resolve) => broker.stdout!.once('data', resolve)), ended])
    expect(String(said)).toMatch(/^mintmark listening on /)
    broker.kill('SIGTERM')
    expect(await ended).toBe(0)
  },
)

test('a store that goes away is an outage of what is asked meanwhile, and of no more', {
  timeout: 60_000,
}, async () => {
  const key = issuerKey('RS256')
  const broker = await startBroker({ tenants: { acme: githubTenant('acme', { keys: [key] }) } })
  onTestFinished(() => removeBroker(broker))
  const acme = `${broker.url}/t/acme`
  const ask = () => exchange(acme, signAssertion(key, githubClaims(acme)), { audience: TARGET })
  // The tenant is in memory from here on.
  expect((await ask()).status).toBe(200)
  const [file, elsewhere] = ['mintmark.db', 'elsewhere.db'].map((name) => join(broker.dataDir, name)) as [
    string,
    string,
  ]
  renameSync(file, elsewhere)
  for (let times = 0; times < 3; times += 1) {
    const refused = await ask()
    expect([refused.status, refused.body['error']]).toEqual([503, 'temporarily_unavailable'])
    expect(refused.body['decision_id']).toEqual(expect.any(String))
  }
  renameSync(elsewhere, file)
  while ((await ask()).status !== 200) await sleep(50)
  // What it cannot keep is not kept in silence.
  renameSync(file, elsewhere)
  expect((await ask()).status).toBe(503)
  expect(await broker.stop(), broker.output()).toBe(0)
  expect(broker.output()).toMatch(/"denials are lost[^\n]*"count":[1-9]/)
})
