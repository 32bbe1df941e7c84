// What the audit stream costs exchanges, and how far behind them it is (`npm run bench -- audit [backlog] [live a second]
// [rounds] [seconds of a window]`). Printed, never asserted. Throughput with feed, log and a jsonl sink over the same with their
// consumers stopped, on one core and on two; from exchange to the line at the sink; a log that is appended, verified, proved, and drained into
// a loopback HTTP sink beside another tenant's exchanges. No wait is without an end.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAuditDatabase } from '../bin/embedded/audit.ts'
import { createSinkCursors } from '../lib/adapters/sqlite/sink-cursors.ts'
import { createTenantLog } from '../lib/adapters/sqlite/tenant-log.ts'
import { measureLogItself, timed, told } from './append.ts'
import { addRecords, openAuditBench } from './audit-data.ts'
import { AUDIENCE, startBroker, tokenUrl } from './broker.ts'
import { startCollector } from './collector.ts'
import { startGenerator } from './load.ts'
import { makeIssuerKey, type Presigned, presign, supplyBodies, TARGET } from './presign.ts'
import { followSink } from './sink-lag.ts'
import { BOTH_CORES, isPinned, type RunningServer, residentMegabytes, SERVER_CORE } from './start-server.ts'
import { TENANT, tenantDocument } from './tenants.ts'
import { measureProofs, measureVerify } from './verify-log.ts'
import { median, oneWindow, warmUp } from './windows.ts'

const BACKLOG = Number(process.argv[2] ?? 1_000_000)
const LIVE_PER_SECOND = Number(process.argv[3] ?? 1_000)
const ROUNDS = Number(process.argv[4] ?? 5)
const WINDOW_SECONDS = Number(process.argv[5] ?? 2)
/** Evidence is good for 300 s, and signing a second's worth takes a second. */
const VISIBLE_SECONDS = 30
/** Beside a backlog there is no core to sign evidence with. */
const BESIDE_PER_SECOND = Math.min(100, LIVE_PER_SECOND)
/** How long a sink may take for what a window left behind. */
const CATCH_UP_SECONDS = 60
/** The most that a second's worth of exchanges may take. */
const LIVE_SECONDS = 5
/** How long a backlog is watched: long enough for a rate. */
const DRAIN_SECONDS = 120
const BODIES_PER_BATCH = 40_000
const BEHIND = 'backlog'
const LOCAL = 'local'

const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const dir = mkdtempSync(join(tmpdir(), 'mintmark-audit-'))
const key = makeIssuerKey()
const generator = startGenerator()
const servers: RunningServer[] = []

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN
const ms = (value: number): string => `${value.toFixed(0)} ms`

const sinkFile = (dataDir: string): string => join(dataDir, `${TENANT}-audit.jsonl`)
const BEHIND_DOCUMENT = tenantDocument(BEHIND, '20000001', key.jwks, 'https://deploy.backlog.example')
const acmeDocument = (hasSink: boolean): string =>
  tenantDocument(TENANT, '1234567', key.jwks, TARGET) +
  (hasSink ? `sinks:\n  ${LOCAL}: { type: jsonl, path: ${TENANT}-audit.jsonl }\n` : '')

const start = async (
  dataDir: string,
  documents: Readonly<Record<string, string>>,
  auditLog: 'on' | 'off',
  core: number | string = SERVER_CORE,
): Promise<RunningServer> => {
  const tenantsDir = mkdtempSync(join(dir, 'tenants-'))
  for (const [tenant, text] of Object.entries(documents)) writeFileSync(join(tenantsDir, `${tenant}.yaml`), text)
  const server = await startBroker(tenantsDir, dataDir, 'off', auditLog, core)
  servers.push(server)
  return server
}

const stop = async (server: RunningServer): Promise<void> => {
  servers.splice(servers.indexOf(server), 1)
  await server.stop()
}

const targetOf = (server: RunningServer, name: string) => ({
  name,
  url: tokenUrl(server),
  pid: server.pid,
  fresh: true,
  suffix: '',
})

/** Until the sink has all there is of the exchanges so far: seconds. What is put off is paid for here. */
const catchUp = async (dataDir: string, exchanges: number): Promise<number> => {
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1_000
  const audit = openAuditDatabase(dataDir, true)
  try {
    const log = createTenantLog(audit)
    const cursors = createSinkCursors(audit)
    for (;;) {
      const size = (await log.about(TENANT))?.size ?? 0
      const leaf = (await cursors.at({ tenant: TENANT, sink: LOCAL }))?.leaf ?? 0
      // A grant with scopes is two leaves.
      if (size >= 2 * exchanges && leaf === size) return seconds()
      if (seconds() > CATCH_UP_SECONDS)
        throw new Error(
          `of ${exchanges} exchanges the log has ${size} leaves and the sink ${leaf}, ${CATCH_UP_SECONDS} s after the last`,
        )
      await sleep(20)
    }
  } finally {
    audit.close()
  }
}

/** The log is a thread of its own: on one core it takes its time from the exchanges, on two it has what they leave. */
const measureThroughput = async (cores: string, core: number | string): Promise<void> => {
  const dataDir = mkdtempSync(join(dir, 'with-'))
  const without = mkdtempSync(join(dir, 'without-'))
  const off = targetOf(await start(without, { [TENANT]: acmeDocument(false) }, 'off', core), 'off')
  const on = targetOf(await start(dataDir, { [TENANT]: acmeDocument(true) }, 'on', core), 'on')
  const file = join(mkdtempSync(join(dir, 'bodies-')), 'bodies')
  const bodies = supplyBodies(() => presign(key, AUDIENCE, file, BODIES_PER_BATCH))
  const window = (target: typeof on, seconds = WINDOW_SECONDS) => oneWindow(generator, target, bodies, seconds)
  await warmUp((seconds) => window(off, seconds))
  let exchanged = await warmUp((seconds) => window(on, seconds))
  await catchUp(dataDir, exchanged)
  const windowWith = async () => {
    const { answered, seconds, perSecond, p99Ms } = await window(on)
    exchanged += answered
    const behind = await catchUp(dataDir, exchanged)
    return { perSecond, p99Ms, sustained: answered / (seconds + behind) }
  }
  const rounds: { answered: number; sustained: number; p99: number }[] = []
  let before = await window(off)
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = await windowWith()
    const after = await window(off)
    const without = (before.perSecond + after.perSecond) / 2
    rounds.push({
      answered: middle.perSecond / without,
      sustained: middle.sustained / without,
      p99: middle.p99Ms / ((before.p99Ms + after.p99Ms) / 2),
    })
    before = after
  }
  const of = (name: 'answered' | 'sustained' | 'p99') => median(rounds.map((round) => round[name])).toFixed(2)
  say(
    `${cores}: exchanges with log and sink over without ${of('answered')} while they come (goal: 0.9), p99 x ${of('p99')}; until the sink has them ${of('sustained')}`,
  )
  say(`memory with log and sink: ${residentMegabytes(on.pid)?.toFixed(0) ?? '?'} MB`)
  for (const server of [...servers]) await stop(server)
}

const signed = (batch: string, perSecond: number): Promise<Presigned> =>
  presign(key, AUDIENCE, join(dir, `live-${batch}`), perSecond * VISIBLE_SECONDS)

/** So many exchanges a second, as far as the broker can, with the bodies there are. The result: how many were answered. */
const exchange = async (server: RunningServer, perSecond: number, bodies: Presigned, isOver = () => false) => {
  const { file, bodyLength, count: all } = bodies
  let answered = 0
  for (let first = 0; !isOver() && first < all; ) {
    const began = performance.now()
    const count = Math.min(perSecond, all - first)
    const job = { url: tokenUrl(server), file, bodyLength, first, count, wrap: false, suffix: '' }
    const result = await generator.run({ ...job, connections: 32, seconds: LIVE_SECONDS })
    answered += result.answered
    first += Math.max(1, result.used)
    await sleep(Math.max(0, 1_000 - (performance.now() - began)))
  }
  rmSync(file)
  return answered
}

/** Exchanges until told to end. */
const live = (server: RunningServer, perSecond: number) => {
  let isOver = false
  const run = async () => {
    let answered = 0
    for (let batch = 0; !isOver; batch += 1)
      answered += await exchange(server, perSecond, await signed(String(batch), perSecond), () => isOver)
    return answered
  }
  const running = run()
  return {
    stop() {
      isOver = true
      return running
    },
  }
}

/** On both cores: the log is a thread, and one core is what the exchanges of the goal take by themselves. */
const measureVisibility = async (): Promise<void> => {
  const dataDir = join(dir, 'visible')
  const bodies = await signed('visible', LIVE_PER_SECOND)
  const server = await start(dataDir, { [TENANT]: acmeDocument(true) }, 'on', BOTH_CORES)
  const lags = followSink(sinkFile(dataDir))
  const began = performance.now()
  const answered = await exchange(server, LIVE_PER_SECOND, bodies)
  const rate = answered / ((performance.now() - began) / 1_000)
  const behind = await catchUp(dataDir, answered)
  const seen = await lags.stop()
  say(
    `at the sink, at ${rate.toFixed(0)} exchanges a second for ${VISIBLE_SECONDS} s: p50 ${ms(quantile(seen, 0.5))}, p99 ${ms(quantile(seen, 0.99))} (goal: 10 s at 1,000); all of it ${behind.toFixed(1)} s after the last`,
  )
  await stop(server)
}

const measureLog = async (): Promise<void> => {
  const bench = await openAuditBench(false, { [BEHIND]: BEHIND_DOCUMENT })
  try {
    await addRecords(bench.dataDir, { ...bench.like, tenant: BEHIND }, BACKLOG / 2)
    say(`appended by the log itself: ${told(await measureLogItself(bench.like, BACKLOG))} (goal: 20 x 2,000)`)
    say(`appended from records in the store: ${told(await timed(BACKLOG, bench.drain))}`)
    const size = await bench.leaves(BEHIND)
    await measureVerify(bench.dataDir, BEHIND, size)
    await measureProofs(bench.dataDir, BEHIND, size)
    await measureBacklog(bench.dataDir)
  } finally {
    bench.close()
  }
}

const measureBacklog = async (dataDir: string): Promise<void> => {
  const collector = await startCollector()
  try {
    const sink = `sinks:\n  siem: { type: otlp-logs, url: "${collector.url}" }\n`
    const documents = {
      [TENANT]: acmeDocument(true),
      [BEHIND]: BEHIND_DOCUMENT + sink,
    }
    const server = await start(dataDir, documents, 'on')
    const lags = followSink(sinkFile(dataDir))
    const load = live(server, BESIDE_PER_SECOND)
    const { events, seconds } = await collector.until(BACKLOG, DRAIN_SECONDS)
    const memory = residentMegabytes(server.pid)
    const answered = await load.stop()
    await sleep(3_000)
    const seen = await lags.stop()
    const rate = (events / seconds).toFixed(0)
    say(
      `backlog into an HTTP sink: ${events} of ${BACKLOG} events in ${seconds.toFixed(0)} s, ${rate} a second (goal: 2000)`,
    )
    say(
      `beside them ${(answered / seconds).toFixed(0)} exchanges a second: at their sink p99 ${ms(quantile(seen, 0.99))}, last ${ms(quantile(seen, 1))} (goal: 60 s); memory ${memory?.toFixed(0) ?? '?'} MB`,
    )
    await stop(server)
  } finally {
    await collector.stop()
  }
}

try {
  mkdirSync(dir, { recursive: true })
  if (isPinned()) await measureThroughput('one core', SERVER_CORE)
  await measureThroughput('two cores, one shared with the generator', BOTH_CORES)
  await measureVisibility()
  await measureLog()
} finally {
  generator.stop()
  await Promise.all(servers.map((server) => server.stop()))
  rmSync(dir, { recursive: true, force: true })
}
