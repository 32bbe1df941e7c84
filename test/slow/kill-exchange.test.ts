// SIGKILL at every point between the write, the signature and the answer, and at any moment from outside (attacks §5 I1, I2).
// After each kill: every token a job received has its record, nothing was accepted twice, and what was spent stays spent
// after the restart. MINTMARK_KILLS sets how many: hundreds in CI, thousands by hand.
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { exchange, startBroker, temporaryDirectory } from '../support/broker.ts'
import { githubClaims, issuerKey, signAssertion } from '../support/evidence.ts'
import { githubTenant, TARGET } from '../support/tenants.ts'
import { COMES_WITHIN_MS, PATIENCE } from '../support/until.ts'

const KILLS = Number(process.env['MINTMARK_KILLS'] ?? 300)
/** Each with a store and brokers of its own, so that one starts while another works. */
const LANES = Math.min(KILLS, 2 * availableParallelism())
const SEED = 20_261_124
const ISSUER = 'http://127.0.0.1:1/t/acme'
/** K0 before the write, K2 after it, K3 after signing; X: whenever, from outside. */
const POINTS = ['K0', 'K2', 'K3', 'X'] as const
const PASSES_MAX = 24
const RUN_MS_MAX = 150
const JOBS = 8
/** A long run says now and then how far it is. */
const SAY_EVERY = 100

/** mulberry32: the run is repeatable from its seed, as far as a scheduler allows. */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

/** One file instead of two hundred that are stripped of their types at every start: thousands of starts in minutes. */
const bundleBroker = async (directory: string): Promise<string> => {
  const outfile = join(directory, 'broker.mjs')
  await build({
    entryPoints: ['test/support/broker-with-failpoints.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  })
  return outfile
}

type Tally = { requests: number; readonly received: Map<string, string> }

/** Starts a broker on the lane's store, works it until it is killed, and asks for what was spent before. */
const runAndKill = async (
  lane: { readonly entry: string; readonly dataDir: string; readonly key: ReturnType<typeof issuerKey> },
  tally: Tally,
  { point, random }: { readonly point: (typeof POINTS)[number]; readonly random: () => number },
): Promise<void> => {
  const { key } = lane
  const broker = await startBroker({
    tenants: { acme: githubTenant('acme', { keys: [key] }) },
    dataDir: lane.dataDir,
    entry: lane.entry,
    args: ['--limits', 'off'],
    env: { FAILPOINT: point === 'X' ? '' : `${point}:${1 + Math.floor(random() * PASSES_MAX)}` },
  })
  const exited = new Promise<NodeJS.Signals | null>((resolve) =>
    broker.child.once('exit', (_, signal) => resolve(signal)),
  )
  const url = `${broker.url}/t/acme`
  const ask = (assertion: string) => exchange(url, assertion, { audience: TARGET }).catch(() => null)
  const spent = [...tally.received.keys()].slice(-JOBS)
  const job = async () => {
    while (broker.child.exitCode === null && broker.child.signalCode === null) {
      const assertion = signAssertion(key, githubClaims(ISSUER))
      tally.requests += 1
      // The same again, at once: kill or not, never a second token.
      for (const answer of [await ask(assertion), await ask(assertion)]) {
        if (answer?.status !== 200) continue
        expect(tally.received.has(assertion)).toBe(false)
        tally.received.set(assertion, String(decodeJwt(String(answer.body['access_token'])).jti))
      }
    }
  }
  const replays = spent.map(async (assertion) => expect((await ask(assertion))?.status).not.toBe(200))
  const jobs = Array.from({ length: JOBS }, job)
  if (point === 'X') {
    await sleep(random() * RUN_MS_MAX)
    broker.child.kill('SIGKILL')
  }
  await Promise.all([...jobs, ...replays])
  expect(await exited).toBe('SIGKILL')
  rmSync(dirname(broker.tenantsDir), { recursive: true, force: true })
}

const recordedIn = (dataDir: string): ReadonlySet<string> => {
  const database = new DatabaseSync(join(dataDir, 'mintmark.db'), { readOnly: true, timeout: COMES_WITHIN_MS })
  const recorded = new Set<string>()
  for (const { body } of database.prepare('SELECT body FROM grant_record').iterate())
    recorded.add((JSON.parse(String(body)) as { credential: { jti: string } }).credential.jti)
  database.close()
  return recorded
}

test(`${KILLS} kills: no token without its record, no assertion accepted twice`, {
  timeout: PATIENCE.testTimeout + KILLS * 60_000,
}, async () => {
  const directory = temporaryDirectory()
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const entry = await bundleBroker(directory)
  const startMs = performance.now()
  let done = 0
  const tallies = await Promise.all(
    Array.from({ length: LANES }, async (_, at) => {
      const random = seeded(SEED + at)
      const lane = { entry, dataDir: join(directory, `data-${at}`), key: issuerKey('RS256') }
      const tally: Tally = { requests: 0, received: new Map() }
      for (let kill = at; kill < KILLS; kill += LANES) {
        await runAndKill(lane, tally, { point: POINTS[Math.floor(kill / LANES) % POINTS.length]!, random })
        done += 1
        if (done % SAY_EVERY === 0) console.log(`${done} of ${KILLS} kills`)
      }
      const recorded = recordedIn(lane.dataDir)
      expect([...tally.received.values()].filter((jti) => !recorded.has(jti))).toEqual([])
      return { ...tally, records: recorded.size }
    }),
  )
  const sum = (of: (tally: (typeof tallies)[number]) => number) =>
    tallies.reduce((total, tally) => total + of(tally), 0)
  const tokens = sum(({ received }) => received.size)
  expect(tokens).toBeGreaterThan(KILLS)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0)
  console.log(
    `${KILLS} kills in ${seconds} s: ${sum(({ requests }) => requests)} assertions, ${tokens} tokens, ${sum(({ records }) => records)} records`,
  )
})
