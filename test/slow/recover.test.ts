// A backup is restored over a broker that went on after it. The store finds out by itself, serves nobody, and after `mintmark recover`
// nothing of what was lost is worth anything (design §7).
import { closeSync, cpSync, existsSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run as audit } from '../../bin/commands/audit.ts'
import { run as recover } from '../../bin/commands/recover.ts'
import { run as revocations } from '../../bin/commands/revocations.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import {
  type BrokerOptions,
  exchange,
  type RunningBroker,
  removeBroker,
  startBroker,
  temporaryDirectory,
} from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { freePort } from '../support/free-port.ts'
import { captureIo } from '../support/io.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'

const key = issuerKey('RS256')
const dir = temporaryDirectory()
const dataDir = join(dir, 'data')
const backup = join(dir, 'backup')
const anchor = join(dir, 'anchor')
let broker: RunningBroker
let url: string

const start = async (until?: BrokerOptions['until']) => {
  const port = new URL(url).port
  broker = await startBroker({
    tenants: { acme: githubTenant('acme', { keys: [key] }) },
    dataDir,
    args: ['--port', port, '--anchor', anchor],
    ...(until === undefined ? {} : { until }),
  })
}
const acme = () => `${url}/t/acme`
const assertion = (overrides: Record<string, unknown> = {}) => signAssertion(key, githubClaims(acme(), overrides))
const redeem = (evidence: string) => exchange(acme(), evidence, { audience: TARGET })
const status = async (path: string) => (await fetch(`${url}${path}`)).status
const kids = async (): Promise<string[]> =>
  ((await (await fetch(`${acme()}/jwks.json`)).json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
const mintmark = async (command: typeof recover, ...args: string[]) => {
  const io = captureIo()
  const code = await command([...args, '--data', dataDir], io)
  return { code, out: io.out(), err: io.err() }
}

beforeAll(async () => {
  url = `http://127.0.0.1:${await freePort()}`
  closeSync(openSync(anchor, 'w'))
})
afterAll(async () => {
  await removeBroker(broker)
  rmSync(dir, { recursive: true, force: true })
})

test('a restored backup serves nobody until it is recovered, and nothing that was lost comes back to life', async () => {
  await start()
  expect((await redeem(assertion())).status).toBe(200)
  await broker.stop()
  cpSync(dataDir, backup, { recursive: true })

  await start()
  const lost = assertion()
  const token = (await redeem(lost)).body['access_token'] as string
  expect(token).toEqual(expect.any(String))
  await broker.stop()
  rmSync(dataDir, { recursive: true })
  cpSync(backup, dataDir, { recursive: true })

  await start({ url, says: /QUARANTINE: .*/ })
  expect(broker.output()).toContain('an anchor has seen more of an audit log than there is')
  expect([await status('/healthz'), await status('/readyz'), await status('/t/acme/jwks.json')]).toEqual([
    200, 503, 503,
  ])
  const refused = await redeem(lost)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])

  const recovered = await mintmark(recover, '--reason', 'restored the backup', '--anchor', anchor, '--json')
  expect(recovered).toMatchObject({ code: 0, err: '' })
  const { floorSeconds, tenants } = JSON.parse(recovered.out) as { floorSeconds: number; tenants: string[] }
  expect(tenants).toEqual(['acme'])
  await expect.poll(broker.output).toContain('mintmark listening on')

  // Redeemed in what was lost: its marker is gone, and it is refused all the same.
  expect((await redeem(lost)).body).toMatchObject({ error: 'invalid_request' })
  expect((await redeem(assertion({ iat: floorSeconds - 1 }))).status).toBe(400)
  // What is issued before the cut ends is dead: so nothing is, for half a minute.
  let fresh = await redeem(assertion({ iat: floorSeconds, exp: floorSeconds + 300 }))
  expect(fresh.status).toBe(400)
  fresh = await until(
    'a token that is issued after the cut',
    () => redeem(assertion({ iat: floorSeconds, exp: floorSeconds + 300 })),
    ({ status }) => status !== 400,
  )
  expect(fresh.status).toBe(200)
  // The key that signed it is gone from the key set, and the cut covers it for whoever reads the feed.
  const signers = await kids()
  expect(signers).not.toContain(decodeProtectedHeader(token).kid)
  expect(signers).toContain(decodeProtectedHeader(fresh.body['access_token'] as string).kid)
  const cut = JSON.parse((await mintmark(revocations, '--tenant', 'acme', '--json')).out) as {
    revocations: { kind: string; form: string; notBeforeSeconds: number }[]
  }
  expect(cut.revocations).toMatchObject([{ kind: 'tenant', form: 'cut' }])
  expect(cut.revocations[0]!.notBeforeSeconds).toBeGreaterThan(decodeJwt(token).iat!)
  const page = decodeJwt(await (await fetch(`${acme()}/revocations`)).text())
  expect(page['seq']).toBe(1 + LIMITS.recoveryNumbersSkipped)
  await expect
    .poll(async () => (await mintmark(audit, 'tail', '--tenant', 'acme', '--lines', '50')).out)
    .toContain('store_recovered')
  await broker.stop()

  // The anchor still knows what was lost: that was dealt with.
  await start()
  expect(broker.output()).not.toContain('QUARANTINE')
})

test('an older copy of the records alone, beside logs of today, serves nobody either', async () => {
  await broker.stop()
  rmSync(backup, { recursive: true })
  cpSync(dataDir, backup, { recursive: true })
  await start()
  expect((await redeem(assertion())).status).toBe(200)
  await broker.stop()
  for (const file of ['mintmark.db', 'mintmark.db-wal', 'mintmark.db-shm']) {
    rmSync(join(dataDir, file), { force: true })
    if (existsSync(join(backup, file))) cpSync(join(backup, file), join(dataDir, file))
  }
  await start({ url, says: /QUARANTINE: .*/ })
  expect(broker.output()).toContain('the audit log has taken records that the database of records does not have')
  expect((await mintmark(recover, '--reason', 'the wrong file was restored', '--anchor', anchor)).code).toBe(0)
  await expect.poll(broker.output).toContain('mintmark listening on')
  await broker.stop()
  await start()
  expect(broker.output()).not.toContain('QUARANTINE')
})

test('an operator who knows of a loss takes a running broker out of service, and back', async () => {
  expect(await status('/readyz')).toBe(200)
  expect((await mintmark(recover, '--quarantine')).out).toContain('503')
  await expect.poll(() => status('/readyz')).toBe(503)
  expect((await redeem(assertion())).status).toBe(503)
  const recovered = await mintmark(recover, '--reason', 'a snapshot was rolled back')
  expect(recovered.out).toMatch(/^recovered: 1 tenants, /)
  await expect.poll(() => status('/readyz')).toBe(200)
  await expect.poll(async () => (await redeem(assertion())).status).toBe(400)
})
