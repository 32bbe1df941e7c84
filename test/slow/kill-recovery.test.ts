// A recovery that is killed after any of its steps, and given again (design §7): nobody is served before it has ended, and then nothing
// of before is left that signs or counts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, expect, test } from 'vitest'
import { openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createRecoveryStore } from '../../lib/adapters/sqlite/recovery.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { exchange, startBroker, temporaryDirectory } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { freePort } from '../support/free-port.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'

const SCRIPT = fileURLToPath(new URL('../faults/recover-until.ts', import.meta.url))
const ORGS = { acme: '1234567', globex: '7777777' } as const
const TENANTS = Object.keys(ORGS) as readonly (keyof typeof ORGS)[]

const key = issuerKey('RS256')
const url = `http://127.0.0.1:${await freePort()}`
const tenants = Object.fromEntries(
  TENANTS.map((name) => [name, githubTenant(name, { keys: [key], orgId: ORGS[name] })]),
)
const args = ['--port', new URL(url).port]
const evidence = (tenant: keyof typeof ORGS, more: Record<string, unknown> = {}) =>
  signAssertion(key, githubClaims(`${url}/t/${tenant}`, { repository_owner_id: ORGS[tenant], ...more }))
const redeem = (tenant: keyof typeof ORGS) => exchange(`${url}/t/${tenant}`, evidence(tenant), { audience: TARGET })

const dir = temporaryDirectory()
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** A directory that was used: what each tenant's token was signed with and when. */
const used = async (dataDir: string) => {
  const broker = await startBroker({ tenants, dataDir, args })
  const issued = []
  for (const tenant of TENANTS) {
    const token = String((await redeem(tenant)).body['access_token'])
    issued.push({ tenant, kid: decodeProtectedHeader(token).kid!, iat: decodeJwt(token).iat! })
  }
  await broker.stop()
  return issued
}

const recover = async (dataDir: string, until: number | null) => {
  const child = spawn(execPath, [SCRIPT, dataDir, ...(until === null ? [] : [String(until)])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [printed, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { steps: printed.trim().split('\n'), code: code as number | null, signal: signal as string | null }
}

const stateOf = async (dataDir: string) => {
  const database = openDatabase({ dataDir, dev: null })
  try {
    const { quarantine, recovery } = await createRecoveryStore(database).state()
    const of = async (tenant: string) => {
      const keys = (await createSigningKeyStore(database).list(tenant)).filter(({ use }) => use === 'token')
      const cuts = (await createRevocationStore(database).list(tenant)).filter(({ form }) => form === 'cut')
      return {
        signing: keys.filter(({ state }) => state === 'active').map(({ kid, alg }) => ({ kid, alg })),
        retired: keys.filter(({ state }) => state === 'retired').map(({ kid }) => kid),
        cuts: cuts.map(({ kind, notBeforeSeconds }) => ({ kind, notBeforeSeconds: notBeforeSeconds! })),
      }
    }
    return { quarantine, recovery, tenants: await Promise.all(TENANTS.map(of)) }
  } finally {
    database.close()
  }
}

test('after a kill behind each step nobody is served until it was given again, and then it has ended as if there had been none', async () => {
  const original = join(dir, 'original')
  const issued = await used(original)
  const copy = (name: string): string => {
    const dataDir = join(dir, name)
    cpSync(original, dataDir, { recursive: true })
    return dataDir
  }
  const whole = await recover(copy('whole'), null)
  expect(whole).toMatchObject({ code: 0 })
  // Two tenants, each with a key of each algorithm.
  const each = ['cut', 'order', 'key', 'key', 'rotate']
  expect(whole.steps).toEqual(['quarantine', 'numbers', ...each, ...each, 'positions', 'finish'])

  for (let until = 1; until <= whole.steps.length; until += 1) {
    const after = `killed after step ${until}, ${whole.steps[until - 1]}`
    const dataDir = copy(`killed-${until}`)
    expect(await recover(dataDir, until), after).toEqual({
      steps: whole.steps.slice(0, until),
      code: null,
      signal: 'SIGKILL',
    })
    const isDone = until === whole.steps.length
    const broken = await stateOf(dataDir)
    expect([broken.quarantine === null, broken.recovery === null], after).toEqual([isDone, !isDone])
    if (!isDone) expect(await recover(dataDir, null), after).toMatchObject({ code: 0 })

    const { quarantine, recovery, ...ended } = await stateOf(dataDir)
    expect([quarantine, recovery?.by], after).toEqual([null, 'test'])
    for (const [at, { kid, iat }] of issued.entries()) {
      const { signing, retired, cuts } = ended.tenants[at]!
      expect(retired, after).toContain(kid)
      expect(signing.map(({ alg }) => alg).sort(), after).toEqual(['ES256', 'RS256'])
      expect(
        cuts.map(({ kind }) => kind),
        after,
      ).toEqual(['tenant'])
      expect(cuts[0]!.notBeforeSeconds, after).toBeGreaterThan(iat)
    }
    rmSync(dataDir, { recursive: true })
  }
})
