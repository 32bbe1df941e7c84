// Runs the real broker as users run it: `mintmark serve` in a process of its own, on a free port, over a real data directory.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './until.ts'

export type RunningBroker = {
  readonly url: string
  readonly dataDir: string
  readonly tenantsDir: string
  readonly child: ChildProcess
  /** Everything the process wrote to stdout and stderr. */
  readonly output: () => string
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>
}

export type BrokerOptions = {
  /** File name without .yaml -> YAML text. */
  readonly tenants: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly dataDir?: string
  readonly entry?: string
  readonly env?: Record<string, string>
  /** Where it listens, told by whoever gave it a port: not waited for, then, but for the line that is given here. */
  readonly until?: { readonly url: string; readonly says: RegExp }
}

export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'mintmark-'))

/** As `npm run mintmark` has them: a figure of memory is one of what is shipped. */
const MEMORY_FLAGS = ['--initial-old-space-size=48', '--max-semi-space-size=8']

export const startBroker = async (options: BrokerOptions): Promise<RunningBroker> => {
  const dir = temporaryDirectory()
  const tenantsDir = join(dir, 'tenants')
  const dataDir = options.dataDir ?? join(dir, 'data')
  mkdirSync(tenantsDir)
  for (const [name, text] of Object.entries(options.tenants)) writeFileSync(join(tenantsDir, `${name}.yaml`), text)
  const entry = options.entry ?? 'bin/mintmark.ts'
  const args = ['serve', '--tenants', tenantsDir, '--data', dataDir, '--port', '0', '--dev', ...(options.args ?? [])]
  const child = spawn(process.execPath, [...MEMORY_FLAGS, entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let output = ''
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const ready = (options.until?.says ?? /mintmark listening on (\S+)/).exec(output)
      if (ready) resolve(options.until?.url ?? ready[1]!)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => reject(new Error(`broker exited with ${code}: ${output}`)))
  })
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return exited
  }
  return { url, dataDir, tenantsDir, child, output: () => output, stop }
}

export const removeBroker = async (broker: RunningBroker): Promise<void> => {
  if (broker.child.exitCode === null && broker.child.signalCode === null) await broker.stop('SIGKILL')
  rmSync(broker.dataDir, { recursive: true, force: true })
  rmSync(broker.tenantsDir, { recursive: true, force: true })
}

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> }

/** One exchange, as a job would ask for it. */
export const exchange = async (
  tenantUrl: string,
  assertion: string,
  form: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Answer> => {
  const body = new URLSearchParams({
    grant_type: EXCHANGE,
    subject_token: assertion,
    subject_token_type: JWT_TYPE,
    ...form,
  })
  const response = await fetch(`${tenantUrl}/token`, { method: 'POST', headers, body })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

/** As a client does it: with a key, and once more with it where it is told to come again. */
export const patientExchange: typeof exchange = (tenantUrl, assertion, form, headers = {}) => {
  const all = { 'idempotency-key': randomUUID(), ...headers }
  return until(
    'an answer to an exchange',
    () => exchange(tenantUrl, assertion, form, all),
    ({ status }) => status !== 503,
  )
}
