// Revoking beside a running broker, as an operator does it: when the command returns, the next exchange is denied (P6).
import { spawnSync } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UsageError } from '../../bin/command.ts'
import { run as revocations } from '../../bin/commands/revocations.ts'
import { run as revoke } from '../../bin/commands/revoke.ts'
import { run as unblock } from '../../bin/commands/unblock.ts'
import { REVOCATION_KINDS } from '../../lib/domain/revocation.ts'
import { exchange, type RunningBroker, removeBroker } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { TARGET } from '../support/tenants.ts'
import { startTwoTenants } from '../support/two-tenants.ts'
import { COMES_WITHIN_MS } from '../support/until.ts'

const key = issuerKey('RS256')
let broker: RunningBroker
let acme: string
let globex: string
beforeAll(async () => {
  ;({ broker, acme, globex } = await startTwoTenants(key))
})
afterAll(() => removeBroker(broker))

const COMMANDS = { revoke, unblock, revocations }
const mintmark = async (name: keyof typeof COMMANDS, ...args: string[]) => {
  const io = captureIo()
  const code = await COMMANDS[name]([...args, '--data', broker.dataDir, '--json'], io).catch((error: Error) => {
    if (error instanceof UsageError) return 2
    throw error
  })
  return { code, stderr: io.err(), json: JSON.parse(io.out() || 'null') as Record<string, never> }
}
const order = (...args: string[]) => mintmark('revoke', '--tenant', 'acme', '--reason', 'runner compromised', ...args)
const mint = (claims: Record<string, unknown> = {}) =>
  exchange(acme, signAssertion(key, githubClaims(acme, claims)), { audience: TARGET })
const unblockAll = async () => {
  const listed = (await mintmark('revocations')).json['revocations'] as unknown as { id: string; form: string }[]
  for (const { id, form } of listed) if (form === 'block') await mintmark('unblock', id, '--reason', 'test is over')
}

describe('a block', () => {
  test.each([
    ['run', 'github/987654321'],
    ['run', '987654321'],
    ['project', '7654321'],
    ['actor', '42'],
    ['issuer', 'github'],
    ['issuer-key', key.kid],
    ['sub', 'spiffe://acme.example/ci/7654321/production'],
    ['grant', 'deploy-prod'],
    ['all', null],
  ])('--%s %s: the next exchange is denied, and after unblock allowed again', async (flag, value) => {
    expect((await mint()).status).toBe(200)
    const done = await order(`--${flag}`, ...(value === null ? [] : [value]))
    expect([done.code, done.stderr]).toEqual([0, ''])
    expect(await mint()).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    await unblockAll()
    expect((await mint()).status).toBe(200)
  })

  test('another tenant goes on: a block names one tenant, whatever it selects', async () => {
    expect((await order('--issuer', 'github')).code).toBe(0)
    const theirs = githubClaims(globex, { repository_owner_id: '7777777' })
    expect((await exchange(globex, signAssertion(key, theirs), { audience: TARGET })).status).toBe(200)
    await unblockAll()
  })

  test('of a credential: its assertion is blocked with it', async () => {
    const answer = await mint()
    const done = await order('--jti', String(answer.body['decision_id']))
    expect(done.code).toBe(0)
    const { selectors } = done.json['order'] as unknown as { selectors: { kind: string }[] }
    expect(selectors.map(({ kind }) => kind)).toEqual(['credential', 'assertion'])
    await unblockAll()
  })
})

test('the broker takes the order from the queue as well, finds it carried out, and changes nothing', async () => {
  await order('--run', '111')
  const sqlite = new DatabaseSync(`${broker.dataDir}/mintmark.db`, { timeout: COMES_WITHIN_MS })
  const count = (sql: string) => Number(sqlite.prepare(sql).get()?.['n'])
  await expect.poll(() => count('SELECT count(*) AS n FROM queue_message')).toBe(0)
  expect(count("SELECT count(*) AS n FROM revocation WHERE value = '111'")).toBe(1)
  expect(count('SELECT count(*) AS n FROM quarantined_message')).toBe(0)
  sqlite.close()
  await unblockAll()
})

test('a dry run shows the live credentials it would hit, and changes nothing', async () => {
  const one = await mint({ run_id: '222' })
  await mint({ run_id: '333' })
  const done = await order('--run', '222', '--dry-run')
  const hits = done.json['hits'] as unknown as { credentials: number; newest: { decisionId: string }[] }
  expect([done.code, hits.credentials, hits.newest[0]?.decisionId]).toEqual([0, 1, one.body['decision_id']])
  expect((await mint({ run_id: '222' })).status).toBe(200)
})

test.each([
  ['a tenant that is not there', ['--tenant', 'nobody', '--all'], 1],
  ['an issuer of no version', ['--run', 'gitlab/1'], 1],
  ['a grant of no version', ['--grant', 'deploy-prdo'], 1],
  ['an identity of another trust domain', ['--sub', 'spiffe://globex.example/x'], 1],
  ['a jti that is none of ours', ['--jti', 'abc'], 1],
  ['a cut of what is always a block', ['--run', '1', '--cut'], 1],
  ['two selectors', ['--run', '1', '--all'], 2],
  ['none', [], 2],
])('refused, and nothing is written: %s', async (_, args, code) => {
  const before = (await mintmark('revocations')).json
  expect((await order(...args)).code).toBe(code)
  expect((await mintmark('revocations')).json).toEqual(before)
})

test('every kind of the table has a flag and a line of help', () => {
  const help = spawnSync(process.execPath, ['bin/mintmark.ts', 'revoke', '--help'], { encoding: 'utf8' }).stdout
  for (const { flag, says } of Object.values(REVOCATION_KINDS)) {
    expect(help).toContain(`--${flag}`)
    expect(help).toContain(says)
  }
})

test('a data directory without a database is refused, not made', async () => {
  const io = captureIo()
  expect(await revocations(['--data', '/nonexistent'], io)).toBe(3)
})

test('a cut lets nothing through that a clock 30 s ahead may sign, and cannot be lifted', async () => {
  const theirs = () => signAssertion(key, githubClaims(globex, { repository_owner_id: '7777777' }))
  expect((await exchange(globex, theirs(), { audience: TARGET })).status).toBe(200)
  const args = ['--tenant', 'globex', '--reason', 'runner compromised', '--project', '7654321', '--cut'] as const
  const done = await mintmark('revoke', ...args)
  expect(done.code).toBe(0)
  expect((await exchange(globex, theirs(), { audience: TARGET })).status).toBe(400)
  const [id] = done.json['revocations'] as unknown as string[]
  const lifted = await mintmark('unblock', id!, '--reason', 'mistake')
  expect([lifted.code, lifted.json]).toEqual([1, { kind: 'refused', refusal: 'is_a_cut' }])
})
