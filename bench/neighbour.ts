// `npm run bench -- --neighbour`: what a quiet tenant's p99 becomes while another tenant, or a single source, sends 50 times its
// quota (issue 2 §4). Windows alternate quiet, noisy, quiet … in one run; a noisy one is compared with the mean of the two
// beside it. The broker runs as users run it, limits on. The same is done to node:http without any work: no server built on it can
// do much better, unless it answers less. Reported, not asserted.
import { randomUUID, sign } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../lib/domain/limits.ts'
import { baseUrlOfBench, startBroker } from './broker.ts'
import { type Lane, type LaneResult, type OpenGenerator, startOpenGenerator } from './open-load.ts'
import { ISSUER, type IssuerKey, makeIssuerKey, TARGET } from './presign.ts'
import { cpuSeconds, type RunningServer, startServer } from './start-server.ts'
import { tenantDocument } from './tenants.ts'
import { median, type Spread, spread } from './windows.ts'

const TIMES_QUOTA = 50
/** What the loud one has saved up in a quiet window is gone by then, and its connections are open. */
const LEAD_SECONDS = 2
const QUIET_PER_SECOND = 40
const QUIET_SOURCES = 8
/** Each has a limit of its own, lower than the tenant's. */
const PROJECTS = Array.from({ length: 32 }, (_, at) => String(7_000_000 + at))
const ORGS = { quiet: '7777777', loud: '1234567' } as const
type Tenant = keyof typeof ORGS

export type NeighbourPlan = { readonly rounds: number; readonly seconds: number }

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Bodies as a job sends them, each with evidence of its own; they live 300 s. */
const bodiesOf = (tenant: Tenant, count: number, key: IssuerKey): readonly string[] =>
  Array.from({ length: count }, (_, at) => {
    const now = Math.floor(Date.now() / 1_000)
    const claims = {
      iss: ISSUER,
      aud: `${baseUrlOfBench}/t/${tenant}`,
      jti: randomUUID(),
      iat: now,
      nbf: now - 300,
      exp: now + 300,
      sub: 'repo:acme/api:environment:production',
      repository: 'acme/api',
      repository_id: PROJECTS[at % PROJECTS.length],
      repository_owner_id: ORGS[tenant],
      ref: 'refs/heads/main',
      event_name: 'push',
      environment: 'production',
      run_id: '987654321',
    }
    const input = `${encode({ alg: 'RS256', kid: key.kid, typ: 'JWT' })}.${encode(claims)}`
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      audience: TARGET,
      subject_token: `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`,
    })
    return form.toString()
  })

const addresses = (third: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `127.0.${third + Math.floor(at / 250)}.${(at % 250) + 1}`)

type Noise = { readonly name: string; readonly lane: Omit<Lane, 'url'> & { readonly tenant: Tenant } }

const noises = (key: IssuerKey): readonly Noise[] => {
  const quota = LIMITS.tenantRate[0]
  const tenantLane = {
    name: 'loud',
    tenant: 'loud' as const,
    // From as many addresses as it takes to stay within the limit of each.
    sources: addresses(20, Math.ceil((TIMES_QUOTA * quota) / LIMITS.sourceRate[0])),
    bodies: bodiesOf('loud', 2_000, key),
  }
  return [
    { name: `a tenant at ${TIMES_QUOTA} times its quota`, lane: { ...tenantLane, perSecond: TIMES_QUOTA * quota } },
    // What it may have is worked on all the same: the one above can be no better than this.
    { name: 'a tenant at its quota', lane: { ...tenantLane, perSecond: quota } },
    {
      name: `a source at ${TIMES_QUOTA} times its quota`,
      lane: {
        name: 'loud',
        tenant: 'loud',
        perSecond: TIMES_QUOTA * LIMITS.sourceRate[0],
        sources: Array(32).fill('127.0.9.1'),
        bodies: ['grant_type=x&subject_token=not-a-token'],
      },
    },
  ]
}

type Measured = {
  /** p99 of the quiet tenant in a noisy window over the mean of the quiet windows beside it. */
  readonly ratio: Spread
  readonly quietP99Ms: number
  readonly noisyP99Ms: number
  readonly quiet: Readonly<Record<string, number>>
  readonly loud: Readonly<Record<string, number>>
  /** Of one core, in the noisy windows: all threads of the server, and each generator. */
  readonly cpu: { readonly server: number | null; readonly quiet: number; readonly loud: number }
}

export type NeighbourReport = Measured & { readonly name: string; readonly floor: Measured }

type Generators = { readonly quiet: OpenGenerator; readonly loud: OpenGenerator }

const add = (total: Record<string, number>, more: Readonly<Record<string, number>>): void => {
  for (const [status, count] of Object.entries(more)) total[status] = (total[status] ?? 0) + count
}

const measure = async (
  server: RunningServer,
  generators: Generators,
  { lane }: Noise,
  key: IssuerKey,
  { rounds, seconds }: NeighbourPlan,
): Promise<Measured> => {
  const url = (tenant: Tenant): string => `http://127.0.0.1:${new URL(server.url).port}/t/${tenant}/token`
  const runQuiet = () => {
    const bodies = bodiesOf('quiet', QUIET_PER_SECOND * seconds + 1, key)
    const sources = addresses(1, QUIET_SOURCES)
    const quiet = { name: 'quiet', url: url('quiet'), perSecond: QUIET_PER_SECOND, sources, bodies }
    return generators.quiet.run({ lanes: [quiet], seconds })
  }
  const runLoud = () =>
    generators.loud.run({ lanes: [{ ...lane, url: url(lane.tenant) }], seconds: LEAD_SECONDS + seconds })
  // The loud one's burst, and the code's first runs, are not what is measured.
  await Promise.all([runQuiet(), runLoud()])
  const quiets = [(await runQuiet()).lanes[0]!]
  const noisy: LaneResult[] = []
  const [quietStatuses, loudStatuses]: [Record<string, number>, Record<string, number>] = [{}, {}]
  const shares: Record<'server' | 'quiet' | 'loud', number[]> = { server: [], quiet: [], loud: [] }
  for (let round = 0; round < rounds; round += 1) {
    const noise = runLoud()
    await sleep(LEAD_SECONDS * 1_000)
    const [cpuBefore, beganMs] = [cpuSeconds(server.pid), performance.now()]
    const beside = await runQuiet()
    const [cpuAfter, endedMs] = [cpuSeconds(server.pid), performance.now()]
    const loud = await noise
    if (cpuBefore !== null && cpuAfter !== null)
      shares.server.push(((cpuAfter - cpuBefore) * 1_000) / (endedMs - beganMs))
    shares.quiet.push(beside.cpuShare)
    shares.loud.push(loud.cpuShare)
    noisy.push(beside.lanes[0]!)
    add(quietStatuses, beside.lanes[0]!.statuses)
    add(loudStatuses, loud.lanes[0]!.statuses)
    quiets.push((await runQuiet()).lanes[0]!)
  }
  return {
    ratio: spread(noisy.map((each, at) => each.p99Ms / ((quiets[at]!.p99Ms + quiets[at + 1]!.p99Ms) / 2))),
    quietP99Ms: median(quiets.map((each) => each.p99Ms)),
    noisyP99Ms: median(noisy.map((each) => each.p99Ms)),
    quiet: quietStatuses,
    loud: loudStatuses,
    cpu: {
      server: shares.server.length === 0 ? null : median(shares.server),
      quiet: median(shares.quiet),
      loud: median(shares.loud),
    },
  }
}

/** `dir`: an empty directory for tenants and data. */
export const measureNeighbours = async (dir: string, plan: NeighbourPlan): Promise<readonly NeighbourReport[]> => {
  const key = makeIssuerKey()
  const tenantsDir = join(dir, 'tenants')
  const match = JSON.stringify(PROJECTS)
  mkdirSync(tenantsDir, { recursive: true })
  for (const tenant of ['quiet', 'loud'] as const)
    writeFileSync(join(tenantsDir, `${tenant}.yaml`), tenantDocument(tenant, ORGS[tenant], key.jwks, TARGET, match))
  const broker = await startBroker(tenantsDir, join(dir, 'data'), 'on')
  const floor = await startServer([join(import.meta.dirname, 'floor-server.ts')])
  // One process each: what the loud one makes wait in its own generator is not the broker's doing.
  const generators = { quiet: startOpenGenerator(), loud: startOpenGenerator() }
  try {
    const reports: NeighbourReport[] = []
    for (const noise of noises(key)) {
      const beside = await measure(broker, generators, noise, key, plan)
      reports.push({ name: noise.name, ...beside, floor: await measure(floor, generators, noise, key, plan) })
    }
    return reports
  } finally {
    generators.quiet.stop()
    generators.loud.stop()
    await Promise.all([broker.stop(), floor.stop()])
  }
}

const three = (value: number): string => value.toFixed(3)
const percent = (share: number | null): string => (share === null ? '?' : `${Math.round(share * 100)} %`)

const details = ({ quietP99Ms, noisyP99Ms, quiet, loud, cpu }: Measured): string =>
  [
    `  p99 quiet ${quietP99Ms.toFixed(2)} ms, beside it ${noisyP99Ms.toFixed(2)} ms; the quiet one was answered ${JSON.stringify(quiet)}, the loud one ${JSON.stringify(loud)}`,
    `  of a core: the server ${percent(cpu.server)}, the quiet generator ${percent(cpu.quiet)}, the loud one ${percent(cpu.loud)}`,
  ].join('\n')

export const formatNeighbours = (reports: readonly NeighbourReport[]): string =>
  reports
    .map(({ name, floor, ...measured }) => {
      const { ratio } = measured
      return [
        `neighbour of ${name}: p99 x quiet ${three(ratio.median)} [${three(ratio.p10)}..${three(ratio.p90)}] (goal <= 1.1, reported)`,
        details(measured),
        `  node:http without any work: ${three(floor.ratio.median)} [${three(floor.ratio.p10)}..${three(floor.ratio.p90)}]; over it ${three(ratio.median / floor.ratio.median)}`,
        details(floor),
      ].join('\n')
    })
    .join('\n')
    .concat('\n')
