// What it takes to verify a log with its events and records, and to prove a leaf of it: node bench/verify-log.ts [leaves]. Both are the
// commands an operator runs, files opened and all.
import { openLog, readableIn } from '../bin/audit/open-log.ts'
import { prove } from '../bin/audit/prove.ts'
import { verify } from '../bin/audit/verify.ts'
import { openAuditDatabase } from '../bin/embedded/audit.ts'
import { createTenantLog } from '../lib/adapters/sqlite/tenant-log.ts'
import { addRecords, openAuditBench } from './audit-data.ts'
import { countInstructions } from './count-instructions.ts'
import { TENANT } from './tenants.ts'

const LEAVES_PER_RECORD = 2
const PROOFS = 50

const quiet = () => {
  let out = ''
  const stdout = { write: (text: string) => (out += text) }
  return { io: { stdout, stderr: { write: () => true }, env: {} }, out: () => out }
}

const leaves = Number(process.argv[2] ?? 100_000)
const bench = await openAuditBench(false)
try {
  await addRecords(bench.dataDir, bench.like, leaves / LEAVES_PER_RECORD)
  await bench.drain()
  const size = await bench.leaves()
  const { io, out } = quiet()
  const began = performance.now()
  const instructions = await countInstructions(async () => {
    if ((await verify({ tenant: TENANT, data: bench.dataDir }, io)) !== 0) throw new Error(out())
  })
  const seconds = (performance.now() - began) / 1_000
  const each = instructions === null ? 'not counted' : Math.round(instructions / size).toLocaleString('en')
  process.stdout.write(`verify: ${size} leaves in ${seconds.toFixed(1)} s, instructions a leaf ${each}\n`)

  const audit = openAuditDatabase(bench.dataDir, true)
  const log = createTenantLog(audit)
  const uids: string[] = []
  for (let at = 0; at < PROOFS; at += 1) {
    const [leaf] = await log.leaves(TENANT, Math.floor((at * size) / PROOFS), 1)
    uids.push((JSON.parse(leaf!.canonical) as { metadata: { uid: string } }).metadata.uid)
  }
  audit.close()
  const times: number[] = []
  for (const uid of uids) {
    const start = performance.now()
    if ((await prove(readableIn(bench.dataDir, TENANT), uid, quiet().io)) !== 0) throw new Error('no proof')
    times.push(performance.now() - start)
  }
  const opening: number[] = []
  for (let count = 0; count < PROOFS; count += 1) {
    const start = performance.now()
    ;(await openLog(bench.dataDir, TENANT)).close()
    opening.push(performance.now() - start)
  }
  const median = (millis: number[]) => millis.sort((a, b) => a - b)[Math.floor(PROOFS / 2)]!.toFixed(1)
  process.stdout.write(
    `prove: ${median(times)} ms median of ${PROOFS}, of ${size} leaves; ${median(opening)} ms of them opens the files\n`,
  )
} finally {
  bench.close()
}
