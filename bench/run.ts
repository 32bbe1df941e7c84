// npm run bench: the broker with everything on, beside a floor and two peers in one run (performance.md §8). `--short` is
// for CI (about a minute, no memory or scale run); `--neighbour` and `--cold-start` measure that alone (neighbour.ts; cold-start.ts and
// warm-handler.ts), `--scale` the growth of tenants and records; `--out FILE` also writes the report as JSON. Exit 0 whatever the
// ratios. A name instead of flags runs a bench that stands alone: `audit [backlog]`, `verifier`, `revocations [how many]`, `storm [how many]`, `repository
// [how many]`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AUDIENCE, startBroker, tokenUrl } from './broker.ts'
import { formatColdStarts, measureColdStarts } from './cold-start.ts'
import { fdatasyncMicros } from './fdatasync.ts'
import { startGenerator } from './load.ts'
import { memoryAfter } from './memory.ts'
import { formatNeighbours, measureNeighbours } from './neighbour.ts'
import { ISSUER, makeIssuerKey, type Presigned, presign, supplyBodies } from './presign.ts'
import { type BenchReport, formatReport, formatScale, warningsOf } from './report.ts'
import { measureScale, type ScalePoint } from './scale.ts'
import { measureStages } from './stages.ts'
import { isPinned, type RunningServer, startServer } from './start-server.ts'
import { writeTenants } from './tenants.ts'
import { formatWarm, measureWarm } from './warm-handler.ts'
import { sandwich, type Target, type TargetReport } from './windows.ts'

const SHORT = {
  bodies: 40_000,
  rounds: 5,
  seconds: 0.5,
  exchanges: 0,
  tenants: [],
  records: [],
  scaleRounds: 0,
  scaleBodies: 0,
}
const FULL = {
  bodies: 80_000,
  rounds: 15,
  seconds: 1,
  exchanges: 200_000,
  tenants: [10, 1_000, 10_000],
  records: [1_000, 100_000, 1_000_000],
  scaleRounds: 7,
  scaleBodies: 70_000,
}

const ALONE: Readonly<Record<string, string>> = {
  audit: 'audit.ts',
  verifier: 'verify.ts',
  revocations: 'revocation-latency.ts',
  storm: 'storm.ts',
  repository: 'repository.ts',
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    scale: { type: 'boolean', default: false },
    neighbour: { type: 'boolean', default: false },
    'cold-start': { type: 'boolean', default: false },
    out: { type: 'string' },
    data: { type: 'string' },
  },
})
const plan = values.short ? SHORT : FULL
// The data directory must be on the disk that is to be measured: --data DIR where the temporary directory is in memory.
const dir = mkdtempSync(join(values.data ?? tmpdir(), 'mintmark-bench-'))
const say = (text: string): boolean => process.stderr.write(`bench: ${text}\n`)

const servers: RunningServer[] = []
const generator = startGenerator()

const start = async (server: Promise<RunningServer>): Promise<RunningServer> => {
  const running = await server
  servers.push(running)
  return running
}

const goalsOf = (targets: readonly TargetReport[], megabytes: number | null): BenchReport['goals'] => {
  // A quick refusal is not an exchange: a target that refused anything has no ratio to compare.
  const clean = targets.filter((each) => Object.keys(each.failures).length === 0)
  const ratio = (name: string): number | null => clean.find((each) => each.name === name)?.ratio.median ?? null
  const over = (value: number | null, base: number | null): number | null =>
    value === null || base === null ? null : value / base
  const p99 = clean.find((each) => each.name === 'mintmark')?.p99Ms ?? null
  const atLeast = (name: string, bar: number, value: number | null) => ({
    name,
    goal: `>= ${bar}`,
    value,
    reached: value === null ? null : value >= bar,
  })
  const atMost = (name: string, bar: number, value: number | null) => ({
    name,
    goal: `<= ${bar}`,
    value,
    reached: value === null ? null : value <= bar,
  })
  return [
    atLeast('of the floor', 0.15, ratio('mintmark')),
    atLeast('x bare jose', 1, over(ratio('mintmark'), ratio('jose'))),
    atLeast('x oidc-provider', 2, over(ratio('mintmark'), ratio('oidc-provider'))),
    atMost('p99 ms', 40, p99),
    atMost('RSS MB', 250, megabytes),
  ]
}

const measureNeighbour = async (): Promise<void> => {
  say('neighbours')
  const reports = await measureNeighbours(dir, values.short ? { rounds: 3, seconds: 3 } : { rounds: 7, seconds: 5 })
  process.stdout.write(formatNeighbours(reports))
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(reports, null, 2)}\n`)
}

const measureFunctions = async (): Promise<void> => {
  say('cold starts')
  const cold = await measureColdStarts(dir, values.short ? 7 : 25)
  say('warm handlers')
  const warm = await measureWarm(values.short ? 7 : 25)
  process.stdout.write(formatColdStarts(cold) + formatWarm(warm))
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify({ cold, warm }, null, 2)}\n`)
}

const floorServer = () => start(startServer([join(import.meta.dirname, 'floor-server.ts')]))

const measureGrowth = async (): Promise<void> => {
  say('scale')
  const key = makeIssuerKey()
  const floor = { name: 'floor', fresh: false, suffix: '', ...(await floorServer()) }
  const scalePlan = { ...FULL, rounds: FULL.scaleRounds, bodies: FULL.scaleBodies }
  const bench = { generator, floor: { ...floor, url: `${floor.url}/token` }, key, dir }
  process.stdout.write(formatScale(await measureScale(bench, scalePlan)))
}

const measureExchange = async (): Promise<void> => {
  const key = makeIssuerKey()
  const tenantsDir = join(dir, 'tenants')
  writeTenants(tenantsDir, 10, key.jwks)
  const settings = join(dir, 'peer.json')
  writeFileSync(settings, JSON.stringify({ jwks: key.jwks, audience: AUDIENCE, issuer: ISSUER }))
  const here = (name: string): string => join(import.meta.dirname, name)
  const peer = (name: string, server: RunningServer, path: string, suffix = ''): Target => ({
    name,
    url: `${server.url}${path}`,
    pid: server.pid,
    fresh: false,
    suffix,
  })
  const floor = peer('floor', await floorServer(), '/token')
  const targets: Target[] = [
    peer('jose', await start(startServer([here('jose-server.ts'), settings])), '/token'),
    peer(
      'oidc-provider',
      await start(startServer([here('oidc-provider-server.ts'), settings])),
      '/token',
      '&client_id=bench',
    ),
  ]
  const skipped: string[] = []
  const broker = await start(startBroker(tenantsDir, join(dir, 'data'))).catch((error: unknown) => {
    skipped.push(`mintmark was not measured: ${String(error).slice(0, 300)}`)
    return null
  })
  // First of the targets: its bodies age, the peers' are used round and round.
  if (broker !== null)
    targets.unshift({ name: 'mintmark', url: tokenUrl(broker), pid: broker.pid, fresh: true, suffix: '' })
  const durable = fdatasyncMicros(dir)
  const signed = (): Promise<Presigned> => {
    say(`signing ${plan.bodies} assertions`)
    return presign(key, AUDIENCE, join(dir, 'bodies'), plan.bodies)
  }
  say(`windows (${plan.rounds} rounds of ${plan.seconds} s)`)
  const reports = await sandwich(generator, floor, targets, supplyBodies(signed), plan)
  const stages = await measureStages(await presign(key, AUDIENCE, join(dir, 'one-body'), 1), key, dir)
  const measurable = broker !== null && plan.exchanges > 0
  if (measurable) say(`memory after ${plan.exchanges} exchanges`)
  const memory = measurable ? await memoryAfter(generator, broker, key, dir, plan.exchanges) : null
  if (measurable) say('scale')
  const scalePlan = { ...plan, rounds: plan.scaleRounds, bodies: plan.scaleBodies }
  const scale: readonly ScalePoint[] = measurable ? await measureScale({ generator, floor, key, dir }, scalePlan) : []
  const report: BenchReport = {
    node: `Node ${process.versions.node}`,
    isPinned: isPinned(),
    isShort: values.short,
    fdatasyncMicros: durable,
    targets: reports,
    goals: goalsOf(reports, memory?.megabytes ?? null),
    memory,
    scale,
    stages,
    warnings: [...skipped, ...warningsOf(reports, isPinned())],
  }
  process.stdout.write(formatReport(report))
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`)
}

/** True: it was one that stands alone, in a process of its own. */
const ranAlone = (): boolean => {
  const [name = '', ...rest] = positionals
  const file = ALONE[name]
  if (file === undefined) return false
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, file), ...rest], { stdio: 'inherit' })
  process.exitCode = status ?? 1
  return true
}

try {
  if (!ranAlone()) {
    if (values.neighbour) await measureNeighbour()
    else if (values['cold-start']) await measureFunctions()
    else if (values.scale) await measureGrowth()
    else await measureExchange()
  }
} finally {
  generator.stop()
  await Promise.all(servers.map((server) => server.stop()))
  rmSync(dir, { recursive: true, force: true })
}
