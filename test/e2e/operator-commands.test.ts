// The command line beside a running broker: it judges documents as the broker does, and under --json a program always finds one
// document on stdout, whatever became of the command (design §9).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { runCommandLine } from '../../bin/command-line.ts'
import { type RunningBroker, removeBroker, startBroker, temporaryDirectory } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { captureIo } from '../support/io.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { until } from '../support/until.ts'

const BASE = 'https://broker.acme.example'
const key = issuerKey('RS256')
const SINKS = `
sinks:
  first: { type: jsonl, path: acme-first.jsonl }
  second: { type: jsonl, path: acme-second.jsonl }
`
const EVENTS = `
events:
  idp:
    issuer: https://idp.globex.example
    audience: ${BASE}/t/globex/events
    jwks: { url: https://idp.globex.example/keys }
    on: { session-revoked: { subject: opaque, revoke: subject } }
`
const dir = temporaryDirectory()
let broker: RunningBroker

const mintmark = async (...argv: string[]) => {
  const io = captureIo()
  const code = await runCommandLine(argv, io)
  return { code, out: io.out(), err: io.err() }
}
const here = (...argv: string[]) => mintmark(...argv, '--data', broker.dataDir)

beforeAll(async () => {
  broker = await startBroker({
    tenants: {
      acme: githubTenant('acme', { keys: [key] }) + SINKS,
      globex: githubTenant('globex', { keys: [key], orgId: '7777777' }) + EVENTS,
    },
    args: ['--base-url', BASE],
  })
  await until(
    'the first checkpoint of a log',
    () => here('audit', 'verify', '--tenant', 'acme'),
    ({ code }) => code === 0,
  )
})
afterAll(() => removeBroker(broker))

describe('the base URL of the broker', () => {
  test('explain judges audiences by it where the documents name none', async () => {
    const assertion = join(dir, 'assertion.jwt')
    writeFileSync(assertion, signAssertion(key, githubClaims(`${BASE}/t/acme`)))
    const { code, out, err } = await here('explain', '--tenant', 'acme', '--assertion', assertion, '--target', TARGET)
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/✓ audience +https:\/\/broker\.acme\.example\/t\/acme\n/)
  })

  test('sinks compiles a document by it whose events: alone names an audience', async () => {
    const { code, out } = await here('sinks', '--tenant', 'globex')
    expect([code, out]).toEqual([0, 'the document of this tenant names no sinks\n'])
  })

  test('apply checks documents by it, and by another only where that is given', async () => {
    const apply = (...argv: string[]) => here('apply', broker.tenantsDir, '--dry-run', ...argv)
    const { code, out, err } = await apply()
    expect([code, out, err]).toEqual([0, 'acme: unchanged (version 1)\nglobex: unchanged (version 1)\n', ''])
    const other = await apply('--base-url', 'https://other.example')
    expect([other.code, other.err]).toEqual([1, expect.stringMatching(/globex\.yaml:\d+:\d+: /)])
  })

  test('a stored version that does not pass under another base URL is said to fail, and by which check', async () => {
    const { code, err } = await here('sinks', '--tenant', 'globex', '--base-url', 'https://other.example')
    expect(code).toBe(1)
    expect(err).toMatch(/version 1 of tenant "globex" no longer passes the checks: events › idp › audience: .+/)
  })
})

describe('sinks test without a name', () => {
  test('tests every sink of the tenant', async () => {
    const { code, out } = await here('sinks', 'test', '--tenant', 'acme')
    expect([code, out]).toEqual([0, 'first            delivered 1\nsecond           delivered 1\n'])
  })

  test('as JSON, all of them are one document', async () => {
    const { code, out } = await here('sinks', 'test', '--tenant', 'acme', '--json')
    const { errands } = JSON.parse(out) as { errands: object[] }
    expect([code, errands]).toEqual([
      0,
      ['first', 'second'].map((sink) =>
        expect.objectContaining({ sink, outcome: expect.objectContaining({ delivered: 1 }) }),
      ),
    ])
  })
})

describe('--json is one document on stdout', () => {
  test.each([
    ['an unknown decision', 1, ['decision', 'nothing', '--json']],
    ['a decision that is not in the log', 1, ['audit', 'prove', 'nothing', '--tenant', 'acme', '--json']],
    ['the revocations of nobody', 1, ['revocations', '--tenant', 'nobody', '--json']],
    ['the events of nobody', 1, ['events', '--tenant', 'nobody', '--json']],
    ['the log of nobody', 1, ['audit', 'verify', '--tenant', 'nobody', '--json']],
    [
      'an explanation for nobody',
      2,
      ['explain', '--tenant', 'nobody', '--assertion', 'events/assertions/github.json', '--json'],
    ],
    ['a key that is not there', 1, ['keys', 'taint', 'nothing', '--tenant', 'acme', '--reason', 'x', '--json']],
    ['the removal of nobody', 1, ['apply', '--remove', 'nobody', '--json']],
    ['an unknown option', 2, ['events', '--tenant', 'acme', '--nonsense', '--json']],
  ])('%s', async (_, expected, argv) => {
    const { code, out, err } = await here(...argv)
    expect(code).toBe(expected)
    expect(JSON.parse(out)).toMatchObject({ error: expected === 1 ? 'refused' : 'usage' })
    expect(err).toMatch(/^mintmark /)
  })

  test.each(['there is no', 'nothing in'])('lint of a directory %s', async (kind) => {
    const { code, out } = await mintmark(
      'lint',
      kind === 'nothing in' ? temporaryDirectory() : join(dir, 'none'),
      '--json',
    )
    expect([code, JSON.parse(out)]).toEqual([2, { error: 'usage', error_description: expect.any(String) }])
  })

  test('what audit export, export --out and verify of a receipt say', async () => {
    const ofAcme = (...argv: string[]) => here('audit', ...argv, '--tenant', 'acme', '--json')
    const { leaves } = JSON.parse((await ofAcme('export')).out) as {
      leaves: { event: { metadata: { uid: string } } }[]
    }
    expect(leaves.length).toBeGreaterThan(0)
    const out = join(dir, 'export')
    expect(JSON.parse((await ofAcme('export', '--out', out)).out)).toMatchObject({ exported: expect.any(Number), out })
    const receipt = join(dir, 'receipt.json')
    writeFileSync(receipt, (await ofAcme('prove', leaves[0]!.event.metadata.uid)).out)
    const verify = () => mintmark('audit', 'verify', '--tenant', 'acme', '--from', receipt, '--json')
    expect(JSON.parse((await verify()).out)).toMatchObject({ ok: true, index: 0 })
  })

  test('serve goes on, and says a document a line: of what it warns, when it listens, why it does not start', async () => {
    const listening = /"message":"listening".*\n/
    const started = await startBroker({
      tenants: { acme: githubTenant('acme', { keys: [key] }) },
      args: ['--json', '--limits', 'off'],
      until: { url: '', says: listening },
    })
    onTestFinished(() => removeBroker(started))
    const lines = started.output().trimEnd().split('\n')
    const said = lines.map((line) => JSON.parse(line) as { level: string; message: string; url?: string })
    expect(said).toContainEqual(
      expect.objectContaining({ level: 'WARN', message: expect.stringContaining('--limits off') }),
    )
    const { url } = said.find(({ message }) => message === 'listening')!
    expect((await fetch(`${url}/readyz`)).status).toBe(200)

    const args = ['serve', '--json', '--tenants', started.tenantsDir, '--port', '0']
    const { code, out, err } = await mintmark(...args, '--data', started.dataDir)
    expect(code).toBe(3)
    expect(JSON.parse(out)).toMatchObject({
      level: 'ERROR',
      error: 'unavailable',
      error_description: expect.any(String),
    })
    expect(JSON.parse(err)).toMatchObject({ level: 'ERROR', message: expect.stringContaining('serve --dev') })
  })
})
