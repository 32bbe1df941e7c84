// `npm run bench -- --cold-start`: from the start of a process to the first answer of each bundle as it is shipped, against
// an empty handler started beside it (issue 3 §4). Empty and full starts alternate and a difference is taken from the two
// empty ones beside it. The first event is one that needs no engine, so that only our own code is in the figure. Reported,
// not asserted.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FUNCTIONS, type FunctionName } from '../infra/names.ts'
import { bundle } from '../scripts/bundle.ts'
import { functionEnvironment } from '../test/support/function-environment.ts'
import { pinned, SERVER_CORE } from './start-server.ts'
import { type Spread, spread } from './windows.ts'

const ROOT = join(import.meta.dirname, '..')
const WITH_SDK_MS = 200
const WITHOUT_SDK_MS = 60

const request = (method: string, rawPath: string, body?: string) => ({
  rawPath,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  requestContext: { http: { method, sourceIp: '127.0.0.1' } },
  ...(body === undefined ? {} : { body }),
})

/** What each answers without an engine, so no tenant that might be there; null: it has no such event, and is loaded only. */
const EVENTS: Readonly<Record<FunctionName, unknown>> = {
  attest: request('POST', '/t/Not-A-Tenant/token', 'grant_type=x'),
  discovery: request('GET', '/t/Not-A-Tenant/jwks.json'),
  mint: { tenant: 'acme' },
  trust: { tenant: 'acme' },
  revoke: { Records: [] },
  feed: { page: 'acme' },
  events: request('GET', '/t/Not-A-Tenant/events'),
  introspect: request('GET', '/t/Not-A-Tenant/introspect'),
  admin: request('GET', '/t/Not-A-Tenant/admin/revocations'),
  audit: { Records: [] },
  checkpoint: { activate: 'acme' },
  rotate: null,
  push: { Records: [] },
  poll: request('GET', '/t/Not-A-Tenant/receivers/edge/poll'),
  deliver: null,
  erase: null,
}

/** The kind of request, of those that take several (REQUESTS). */
const ALIASES: Readonly<Record<string, string>> = {
  mint: 'mint:issue',
  feed: 'feed:page',
  checkpoint: 'checkpoint:activate',
}

/** As the runtime does it: load, then one call. A payload that is refused fails the invocation, which is an answer too. */
const RUNTIME = `
const { readFileSync, writeSync } = require('node:fs')
const { handler } = require(process.argv[2])
const event = JSON.parse(readFileSync(process.argv[3], 'utf8'))
const answered = () => {
  const { user, system } = process.cpuUsage()
  writeSync(1, '\\nanswered ' + (user + system) + '\\n')
  process.exit(0)
}
if (event === null) answered()
else handler(event, { invokedFunctionArn: process.argv[4] }).then(answered, answered)
`

type Subject = {
  readonly name: string
  readonly goalMs: number
  readonly bytes: number
  readonly file: string
  readonly event: string
  readonly isLoadedOnly: boolean
  readonly environment: Record<string, string>
}

export type ColdStart = {
  readonly name: string
  readonly goalMs: number
  readonly kib: number
  readonly isLoadedOnly: boolean
  readonly firstAnswerMs: Spread
  /** Over the empty handler of the same round. */
  readonly overEmptyMs: Spread
  /** CPU time over that of the empty handler: what a busy machine leaves nearly alone. */
  readonly cpuOverEmptyMs: Spread
}

const subjectsIn = async (dir: string): Promise<{ readonly empty: Subject; readonly subjects: readonly Subject[] }> => {
  const subject = (name: string, event: unknown, rest: Pick<Subject, 'goalMs' | 'bytes' | 'environment'>): Subject => {
    const events = join(dir, `${name}.json`)
    writeFileSync(events, JSON.stringify(event))
    return { name, file: join(dir, name, 'index.cjs'), event: events, isLoadedOnly: event === null, ...rest }
  }
  const emptySource = 'exports.handler = async () => ({})\n'
  mkdirSync(join(dir, 'empty'))
  writeFileSync(join(dir, 'empty', 'index.cjs'), emptySource)
  const empty = subject('empty', {}, { goalMs: 0, bytes: emptySource.length, environment: {} })
  const subjects: Subject[] = []
  for (const name of FUNCTIONS) {
    const bytes = await bundle(ROOT, name, dir)
    const environment = functionEnvironment(name)
    subjects.push(subject(name, EVENTS[name], { goalMs: WITH_SDK_MS, bytes, environment }))
  }
  for (const name of ['attest', 'mint', 'discovery'] as const) {
    const bare = `${name}, no SDK`
    const bytes = await bundle(ROOT, bare, dir, join(ROOT, 'functions', name, 'handler.ts'))
    subjects.push(subject(bare, null, { goalMs: WITHOUT_SDK_MS, bytes, environment: {} }))
  }
  return { empty, subjects }
}

type Start = { readonly wallMs: number; readonly cpuMs: number }

/** Wall time is from before the process is there to the answer; CPU time is the process's own account until then. */
const startOnce = (runtime: string, { name, file, event, environment }: Subject): Promise<Start> =>
  new Promise((resolve, reject) => {
    const [program, args] = pinned(SERVER_CORE, [runtime, file, event, ALIASES[name] ?? name])
    const began = performance.now()
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment })
    let output = ''
    let start: Start | null = null
    child.stdout.on('data', (chunk: Buffer) => {
      const wallMs = performance.now() - began
      output += chunk.toString()
      const micros = /\nanswered (\d+)\n/.exec(output)?.[1]
      if (micros !== undefined) start ??= { wallMs, cpuMs: Number(micros) / 1_000 }
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.once('error', reject)
    child.once('close', () =>
      start === null ? reject(new Error(`no answer of ${file}: ${output.slice(-500)}`)) : resolve(start),
    )
  })

/** `dir`: an empty directory for the bundles. Says on stderr how far it is: a busy machine takes its time. */
export const measureColdStarts = async (dir: string, rounds: number): Promise<readonly ColdStart[]> => {
  const { empty, subjects } = await subjectsIn(dir)
  const runtime = join(dir, 'runtime.cjs')
  writeFileSync(runtime, RUNTIME)
  const taken = subjects.map((subject) => ({
    subject,
    walls: [] as number[],
    over: [] as number[],
    cpu: [] as number[],
  }))
  // One round more than counted: the first reads the files from the disk.
  for (let round = 0; round <= rounds; round += 1) {
    process.stderr.write(`bench: cold starts, round ${round} of ${rounds}\n`)
    let before = await startOnce(runtime, empty)
    for (const { subject, walls, over, cpu } of taken) {
      const own = await startOnce(runtime, subject)
      const after = await startOnce(runtime, empty)
      if (round > 0) {
        walls.push(own.wallMs)
        over.push(own.wallMs - (before.wallMs + after.wallMs) / 2)
        cpu.push(own.cpuMs - (before.cpuMs + after.cpuMs) / 2)
      }
      before = after
    }
  }
  return taken.map(({ subject: { name, goalMs, bytes, isLoadedOnly }, walls, over, cpu }) => ({
    name,
    goalMs,
    kib: bytes / 1024,
    isLoadedOnly,
    firstAnswerMs: spread(walls),
    overEmptyMs: spread(over),
    cpuOverEmptyMs: spread(cpu),
  }))
}

const ms = ({ median, p10, p90 }: Spread): string => `${median.toFixed(0)} [${p10.toFixed(0)}..${p90.toFixed(0)}]`

export const formatColdStarts = (starts: readonly ColdStart[]): string =>
  [
    'function              KiB  first answer, ms  over empty, ms    CPU over empty    goal',
    ...starts.map(({ name, goalMs, kib, isLoadedOnly, firstAnswerMs, overEmptyMs: over, cpuOverEmptyMs }) => {
      const verdict = (median: number): string => (median <= goalMs ? 'reached' : 'MISSED')
      const columns = [
        name.padEnd(19),
        kib.toFixed(0).padStart(5),
        ...[firstAnswerMs, over, cpuOverEmptyMs].map((each) => ms(each).padEnd(16)),
      ]
      const verdicts = `${verdict(over.median)}, by CPU ${verdict(cpuOverEmptyMs.median)}`
      return `${columns.join('  ')}  <= ${goalMs} ${verdicts}${isLoadedOnly ? ', loaded only' : ''}`
    }),
    '',
  ].join('\n')
