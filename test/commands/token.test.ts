// `mintmark token` as a job runs it: the real command line, the real GitHub protocol, a real HTTP server that plays the broker and
// misbehaves on order.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runCommandLine } from '../../bin/command-line.ts'
import { type CiPlatform, startCiPlatform } from '../../scripts/ci-platform.ts'
import { captureIo } from '../support/io.ts'

type Seen = {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly form: URLSearchParams
  readonly body: string
}
type Reply = (response: ServerResponse, seen: Seen) => void

type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

const TOKEN = 'issued.mintmark-token.of-the-test'
const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
const issued = json(200, {
  access_token: TOKEN,
  token_type: 'Bearer',
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  expires_in: 600,
  scope: 'deploy:read',
  decision_id: '01JD',
})
const busy = (status: number, headers: Record<string, string> = {}) =>
  json(
    status,
    { error: 'temporarily_unavailable', error_description: 'The service cannot answer now', decision_id: 'd-1' },
    headers,
  )

let platform: CiPlatform
let replies: Reply[] = []
let seen: Seen[] = []
let tenantUrl = ''
let directory = ''
const broker = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => (body += chunk.toString()))
  request.on('end', () => {
    const one = { url: request.url ?? '', headers: request.headers, form: new URLSearchParams(body), body }
    seen.push(one)
    const reply = replies.length > 1 ? replies.shift() : replies[0]
    reply?.(response, one)
  })
})

beforeAll(async () => {
  platform = await startCiPlatform({})
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve))
  tenantUrl = `http://127.0.0.1:${(broker.address() as AddressInfo).port}/t/acme`
  directory = mkdtempSync(join(tmpdir(), 'mintmark-token-'))
})
beforeEach(() => {
  replies = [issued]
  seen = []
})
afterAll(async () => {
  broker.closeAllConnections()
  broker.close()
  await platform.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** What a process of its own does: for what a process is needed for, and once to see that it is the same. */
const runApart = (args: readonly string[], env: Record<string, string> = platform.githubEnvironment()) =>
  new Promise<Ran>((resolve) => {
    const child = spawn(process.execPath, ['bin/mintmark.ts', 'token', ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
const run = async (
  args: readonly string[],
  env: Record<string, string> = platform.githubEnvironment(),
): Promise<Ran> => {
  const io = captureIo(env)
  const code = await runCommandLine(['token', ...args], io)
  return { code, stdout: io.out(), stderr: io.err() }
}
const argsOf = (more: readonly string[]) => [
  ...['--tenant-url', tenantUrl, '--audience', 'https://deploy.acme.example'],
  ...more,
]
const ask = (...more: string[]) => run(argsOf(more))
const askApart = (...more: string[]) => runApart(argsOf(more))
const assertionSent = (): string => seen[0]?.form.get('subject_token') ?? ''
const assertionFile = async (): Promise<string> => {
  const file = join(directory, 'assertion.jwt')
  writeFileSync(file, `${await platform.issue('github', { aud: tenantUrl })}\n`)
  return file
}

test('asks GitHub for an assertion with the tenant URL as audience, exchanges it, prints the token alone on stdout', async () => {
  const { code, stdout, stderr } = await askApart('--scope', 'deploy:read', '--grant', 'deploy-prod')
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${TOKEN}\n` })
  expect(seen[0]?.url).toBe('/t/acme/token')
  const { subject_token, ...form } = Object.fromEntries(seen[0]?.form ?? [])
  expect(form).toEqual({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    audience: 'https://deploy.acme.example',
    scope: 'deploy:read',
    grant: 'deploy-prod',
  })
  expect(JSON.parse(Buffer.from(subject_token?.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
    aud: tenantUrl,
  })
  expect(stdout + stderr).not.toContain(subject_token)
})

test('--assertion-audience asks the platform for another audience', async () => {
  await ask('--assertion-audience', 'https://other.example')
  expect(JSON.parse(Buffer.from(assertionSent().split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
    aud: 'https://other.example',
  })
})

test('the token is masked before it is printed, on stderr, so that $(…) captures the token and nothing else', async () => {
  const { stdout, stderr } = await ask()
  expect(stderr).toBe(`::add-mask::${TOKEN}\n`)
  expect(stdout).toBe(`${TOKEN}\n`)
})

test('outside GitHub, and with --out, the token is never on stderr', async () => {
  const plain = await run(['--tenant-url', tenantUrl, '--audience', 'x', '--assertion', await assertionFile()], {})
  expect(plain).toEqual({ code: 0, stdout: `${TOKEN}\n`, stderr: '' })
  expect(await ask('--out', join(directory, 'quiet'))).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('a 503 is tried again with the same Idempotency-Key and the same body, a new exchange has a new key', async () => {
  replies = [busy(503, { 'retry-after': '0' }), issued]
  expect(await ask()).toMatchObject({ code: 0, stdout: `${TOKEN}\n` })
  expect(seen).toHaveLength(2)
  expect(seen[0]?.headers['idempotency-key']).toMatch(/^[\w-]{22}$/)
  expect(seen[1]?.headers['idempotency-key']).toBe(seen[0]?.headers['idempotency-key'])
  expect(seen[1]?.body).toBe(seen[0]?.body)
  await ask()
  expect(seen[2]?.headers['idempotency-key']).not.toBe(seen[0]?.headers['idempotency-key'])
})

test('a connection broken before the answer is tried again with the same key: the answer may only be lost', async () => {
  replies = [(response) => void response.destroy(), issued]
  expect(await ask()).toMatchObject({ code: 0 })
  expect(seen).toHaveLength(2)
  expect(seen[1]?.headers['idempotency-key']).toBe(seen[0]?.headers['idempotency-key'])
})

test('a 429 waits as long as Retry-After says', async () => {
  replies = [busy(429, { 'retry-after': '1' }), issued]
  const startMs = performance.now()
  expect(await ask()).toMatchObject({ code: 0 })
  expect(performance.now() - startMs).toBeGreaterThan(1_000)
})

test('a Retry-After beyond the window in which a repeat is no replay ends the tries: exit 3 at once', async () => {
  replies = [busy(503, { 'retry-after': '3600' })]
  expect(await ask()).toMatchObject({ code: 3, stdout: '' })
  expect(seen).toHaveLength(1)
})

test('a refusal is not tried again: exit 1, code, decision id and how to look it up on stderr', async () => {
  replies = [
    json(400, {
      error: 'invalid_target',
      error_description: 'The target is unknown',
      decision_id: '01JD',
      error_uri: 'https://docs.example/e#invalid_target',
    }),
  ]
  const { code, stdout, stderr } = await ask()
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('invalid_target: The target is unknown')
  expect(stderr).toContain('"mintmark decision 01JD"')
  expect(stderr).toContain('https://docs.example/e#invalid_target')
  expect(seen).toHaveLength(1)
})

test('an answer that echoes the assertion or smuggles a workflow command is printed without either', async () => {
  replies = [
    (response, { form }) =>
      json(400, {
        error: 'invalid_request',
        error_description: `bad\n::set-env name=X::1 ${form.get('subject_token')}`,
      })(response, seen[0] as Seen),
  ]
  const { stdout, stderr } = await ask('--json')
  expect(assertionSent().length).toBeGreaterThan(500)
  expect(stdout + stderr).not.toContain(assertionSent())
  expect(stdout + stderr).not.toContain(assertionSent().split('.')[1])
  expect(stderr).not.toMatch(/^::/m)
})

test('a redirect is not followed: the assertion goes to the tenant URL only', async () => {
  replies = [(response) => void response.writeHead(307, { location: `${tenantUrl}/elsewhere` }).end()]
  expect(await ask()).toMatchObject({ code: 1 })
  expect(seen.map(({ url }) => url)).toEqual(['/t/acme/token'])
})

test('--out writes the token alone, mode 0600, replacing what was there, and leaves nothing else behind', async () => {
  const own = mkdtempSync(join(directory, 'out-'))
  const file = join(own, 'token')
  writeFileSync(file, 'old', { mode: 0o644 })
  expect(await ask('--out', file, '--json')).toMatchObject({ code: 0 })
  expect(readFileSync(file, 'utf8')).toBe(TOKEN)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(own)).toEqual(['token'])
})

test('--out to where nothing can be written is wrong usage before any evidence is spent', async () => {
  expect(await ask('--out', join(directory, 'missing', 'token'))).toMatchObject({ code: 2, stdout: '' })
  expect(await ask('--out', directory)).toMatchObject({ code: 2 })
  expect(seen).toHaveLength(0)
})

test('--exec gives the command the token in its environment, passes its exit code on and prints nothing', async () => {
  const script = `if (process.env.MINTMARK_TOKEN !== '${TOKEN}' || process.argv[1] !== '--flag') process.exit(9); process.exit(7)`
  const { code, stdout } = await askApart('--exec', '--', process.execPath, '-e', script, '--', '--flag')
  expect({ code, stdout }).toEqual({ code: 7, stdout: '' })
})

test('--exec of a command that does not exist exits 127', async () => {
  expect(await askApart('--exec', '--', 'no-such-command-of-mintmark')).toMatchObject({ code: 127 })
})

test('--json prints one document, of a success and of a refusal', async () => {
  const success = await ask('--json')
  expect(JSON.parse(success.stdout)).toEqual({
    access_token: TOKEN,
    token_type: 'Bearer',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    expires_in: 600,
    scope: 'deploy:read',
    decision_id: '01JD',
  })
  replies = [json(400, { error: 'invalid_scope', decision_id: '01JE' })]
  const refusal = await ask('--json')
  expect(JSON.parse(refusal.stdout)).toEqual({ status: 400, error: 'invalid_scope', decision_id: '01JE' })
})

test.each([
  ['no tenant URL', ['--audience', 'x']],
  ['http to another machine', ['--tenant-url', 'http://sts.example.com/t/acme', '--audience', 'x']],
  ['a user in the URL', ['--tenant-url', 'https://u:p@sts.example.com/t/acme', '--audience', 'x']],
  ['no audience', ['--tenant-url', 'https://sts.example.com/t/acme']],
  ['an unknown source', ['--tenant-url', 'https://sts.example.com/t/acme', '--audience', 'x', '--from', 'nowhere']],
  ['--exec without a command', ['--tenant-url', 'https://sts.example.com/t/acme', '--audience', 'x', '--exec']],
  ['a command without --exec', ['--tenant-url', 'https://sts.example.com/t/acme', '--audience', 'x', '--', 'true']],
])('%s is wrong usage, exit 2, and nothing is sent', async (_, args) => {
  expect(await run(args)).toMatchObject({ code: 2, stdout: '' })
  expect(seen).toHaveLength(0)
})

test('a process of its own ends with the same exit code, and says why on stderr', async () => {
  const args = ['--tenant-url', tenantUrl]
  const apart = await runApart(args)
  expect(apart).toEqual(await run(args))
  expect(apart).toMatchObject({ code: 2, stderr: expect.stringContaining('--audience') })
})

test('a GitHub job without id-token permission is told which permission to give', async () => {
  const { code, stderr } = await run(['--tenant-url', tenantUrl, '--audience', 'x'], { GITHUB_ACTIONS: 'true' })
  expect(code).toBe(2)
  expect(stderr).toContain('id-token: write')
})
