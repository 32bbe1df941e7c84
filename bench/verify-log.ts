// What it takes to verify a log with its events and records, and to prove a leaf of it: node bench/verify-log.ts [leaves]. Both are the
// commands an operator runs, files opened and all; of a proof it is said besides what it takes by itself, in a log that is open.
import { openLog, readableIn } from '../bin/audit/open-log.ts'
import { prove } from '../bin/audit/prove.ts'
import { verify } from '../bin/audit/verify.ts'
import { openAuditDatabase } from '../bin/embedded/audit.ts'
import { createTenantLog } from '../lib/adapters/sqlite/tenant-log.ts'
import { addRecords, openAuditBench } from './audit-data.ts'
import { countInstructions } from './count-instructions.ts'
import { TENANT } from './tenants.ts'
import { median } from './windows.ts'

const LEAVES_PER_RECORD = 2
const PROOFS = 50

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

const quiet = () => {
  let out = ''
  const stdout = { write: (text: string) => (out += text) }
  return { io: { stdout, stderr: { write: () => true }, env: {} }, out: () => out }
}

export const measureVerify = async (dataDir: string, tenant: string, size: number): Promise<void> => {
  const { io, out } = quiet()
  const began = performance.now()
  const instructions = await countInstructions(async () => {
    if ((await verify({ tenant, data: dataDir }, io)) !== 0) throw new Error(out())
  })
  const seconds = (performance.now() - began) / 1_000
  const each = instructions === null ? 'not counted' : Math.round(instructions / size).toLocaleString('en')
  say(
    `verify: ${size} leaves in ${seconds.toFixed(1)} s (goal: 30 s for 1,000,000 on two cores), instructions a leaf ${each}`,
  )
}

/** Ids of events from everywhere in the log. */
const someOf = async (dataDir: string, tenant: string, size: number): Promise<readonly string[]> => {
  const audit = openAuditDatabase(dataDir, true)
  const log = createTenantLog(audit)
  const uids: string[] = []
  for (let at = 0; at < PROOFS; at += 1) {
    const [leaf] = await log.leaves(tenant, Math.floor((at * size) / PROOFS), 1)
    uids.push((JSON.parse(leaf!.canonical) as { metadata: { uid: string } }).metadata.uid)
  }
  audit.close()
  return uids
}

const medianMs = async (works: readonly (() => Promise<unknown>)[]): Promise<string> => {
  const times: number[] = []
  for (const work of works) {
    const began = performance.now()
    await work()
    times.push(performance.now() - began)
  }
  return `${median(times).toFixed(1)} ms`
}

export const measureProofs = async (dataDir: string, tenant: string, size: number): Promise<void> => {
  const uids = await someOf(dataDir, tenant, size)
  const open = readableIn(dataDir, tenant)
  const proved = async (uid: string, how: typeof open): Promise<void> => {
    if ((await prove(how, uid, quiet().io)) !== 0) throw new Error('no proof')
  }
  const kept = await open()
  const inOpenLog = async () => ({ ...kept, close: () => undefined })
  const byItself = await medianMs(uids.map((uid) => () => proved(uid, inOpenLog)))
  kept.close()
  const whole = await medianMs(uids.map((uid) => () => proved(uid, open)))
  const opening = await medianMs(uids.map(() => async () => (await openLog(dataDir, tenant)).close()))
  say(`prove: ${byItself} in an open log of ${size} leaves (goal: 5 ms), median of ${PROOFS}`)
  say(`the command: ${whole} once it runs, of which ${opening} open the files`)
}

if (import.meta.main) {
  const leaves = Number(process.argv[2] ?? 100_000)
  const bench = await openAuditBench(false)
  try {
    await addRecords(bench.dataDir, bench.like, leaves / LEAVES_PER_RECORD)
    await bench.drain()
    const size = await bench.leaves()
    await measureVerify(bench.dataDir, TENANT, size)
    await measureProofs(bench.dataDir, TENANT, size)
  } finally {
    bench.close()
  }
}
