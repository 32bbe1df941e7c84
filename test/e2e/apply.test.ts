// `mintmark apply` beside a running broker: what a review took back is dead, and nothing else is (design §9).
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { run as apply } from '../../bin/commands/apply.ts'
import { run as revocations } from '../../bin/commands/revocations.ts'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { exchange, type RunningBroker, removeBroker, startBroker, temporaryDirectory } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { DEPLOY_GRANT, githubTenant, TARGET } from '../support/tenants.ts'

const OTHER = `${DEPLOY_GRANT.replace('deploy-prod', 'deploy-other').replace('"7654321"', '"1111111"')}`
const key = issuerKey('RS256')
let broker: RunningBroker
beforeAll(async () => {
  broker = await startBroker({
    tenants: {
      acme: githubTenant('acme', { keys: [key], grants: DEPLOY_GRANT + OTHER }),
      globex: `${githubTenant('globex', { keys: [key], orgId: '7777777' })}\nsinks:\n  local: { type: jsonl, path: globex-audit.jsonl }\n`,
    },
  })
})
afterAll(() => removeBroker(broker))

const applied = async (grants: string, ...args: string[]): Promise<{ code: number; out: string }> => {
  writeFileSync(join(broker.tenantsDir, 'acme.yaml'), githubTenant('acme', { keys: [key], grants }))
  const io = captureIo()
  const code = await apply([broker.tenantsDir, '--data', broker.dataDir, '--base-url', broker.url, ...args], io)
  return { code, out: io.out() }
}
const inForce = async () => {
  const io = captureIo()
  await revocations(['--data', broker.dataDir, '--json'], io)
  const { revocations: all } = JSON.parse(io.out()) as {
    revocations: { kind: string; value: string; form: string; reason: string }[]
  }
  return all.map(({ kind, value, form, reason }) => ({ kind, value, form, reason }))
}
const redeem = (project: string) => {
  const acme = `${broker.url}/t/acme`
  const claims = githubClaims(acme, {
    repository_id: project,
    sub: `repo:acme@1234567/api@${project}:environment:production`,
  })
  return exchange(acme, signAssertion(key, claims), { audience: TARGET })
}
const narrower = DEPLOY_GRANT.replace('[staging, production]', '[production]')

test('what allows more cuts nothing', async () => {
  const { code, out } = await applied(DEPLOY_GRANT.replace('ttl: 10m', 'ttl: 20m') + OTHER)
  expect([code, out]).toEqual([0, expect.not.stringContaining('cut')])
  expect(await inForce()).toEqual([])
})

test('a dry run says what would be cut, and cuts nothing', async () => {
  expect((await applied(narrower + OTHER, '--dry-run')).out).toContain('cut: what grant deploy-prod issued')
  expect(await inForce()).toEqual([])
})

test('with --keep-issued what was issued lives on', async () => {
  expect((await applied(DEPLOY_GRANT + OTHER, '--keep-issued')).out).toContain('kept: what grant deploy-prod issued')
  expect(await inForce()).toEqual([])
  expect((await redeem('7654321')).status).toBe(200)
})

test('a grant that allows less is cut before it is current, by whom and why on record, and its neighbour is not', async () => {
  expect((await applied(narrower + OTHER)).out).toContain('cut: what grant deploy-prod issued')
  expect(await inForce()).toEqual([
    { kind: 'grant', value: 'deploy-prod', form: 'cut', reason: 'narrowed by version 4 of the document' },
  ])
  // Issued before the cut ends, half a minute from now, it would be dead.
  expect((await redeem('7654321')).status).toBe(400)
  expect((await redeem('1111111')).status).toBe(200)
})

test('a document that was current before is said to be, and lifts nothing', async () => {
  expect((await applied(DEPLOY_GRANT.replace('ttl: 10m', 'ttl: 20m') + OTHER)).out).toContain('CHANGED BACK')
  expect(await inForce()).toHaveLength(1)
})

test('blocks name an issuer as the document does: of one that is gone they are said to hold no longer', async () => {
  const block = ['--tenant', 'acme', '--project', '1111111', '--reason', 'x', '--data', broker.dataDir]
  expect(await revoke(block, captureIo())).toBe(0)
  expect((await redeem('1111111')).status).toBe(400)
  const renamed = githubTenant('acme', { keys: [key], grants: DEPLOY_GRANT + OTHER })
    .replace('\n  github:\n', '\n  gh:\n')
    .replaceAll('from: github', 'from: gh')
  writeFileSync(join(broker.tenantsDir, 'acme.yaml'), renamed)
  const io = captureIo()
  expect(await apply([broker.tenantsDir, '--data', broker.dataDir, '--keep-issued'], io)).toBe(0)
  expect((await redeem('1111111')).status).toBe(200)
  expect(io.err()).toContain('acme: no issuer is called github any more')
})

test('what a tenant has whose file is missing is not to be had, by apply or at a start', async () => {
  const dir = temporaryDirectory()
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const taking = githubTenant('initech', { keys: [key] }).replace('initech.example', 'acme.example')
  writeFileSync(join(dir, 'initech.yaml'), taking)
  const says = 'the trust domain acme.example belongs to tenant "acme" already (acme@'
  const io = captureIo()
  expect(await apply([dir, '--data', broker.dataDir, '--base-url', broker.url], io)).toBe(1)
  expect(io.err()).toContain(says)
  const started = startBroker({ tenants: { initech: taking }, dataDir: broker.dataDir })
  await expect(started).rejects.toThrow(says)
  expect((await exchange(`${broker.url}/t/initech`, 'x')).status).toBe(404)
})

test('a tenant applied beside the running broker is served', async () => {
  writeFileSync(join(broker.tenantsDir, 'newly.yaml'), githubTenant('newly', { keys: [key] }))
  const args = [broker.tenantsDir, '--data', broker.dataDir, '--base-url', broker.url]
  expect(await apply(args, captureIo())).toBe(0)
  const newly = `${broker.url}/t/newly`
  const status = async () =>
    (await exchange(newly, signAssertion(key, githubClaims(newly)), { audience: TARGET })).status
  await expect.poll(status).toBe(200)
})

test('a removed tenant is told to its own sinks: that it was is the last they hear of it', async () => {
  const io = captureIo()
  expect(await apply(['--remove', 'globex', '--data', broker.dataDir], io)).toBe(0)
  const told = () => readFileSync(join(broker.dataDir, 'globex-audit.jsonl'), 'utf8')
  await expect.poll(told).toContain('"status_code":"tenant_removed"')
})
