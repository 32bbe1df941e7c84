// What a leaf of the audit log costs, from the record in the store to the line at the sink: node bench/leaf.ts [records].
import { addRecords, openAuditBench } from './audit-data.ts'
import { countInstructions } from './count-instructions.ts'

const WARM_RECORDS = 4_000

type Cost = { readonly leaves: number; readonly instructions: number | null; readonly cpuMicros: number }

const measure = async (records: number, hasSink: boolean): Promise<Cost> => {
  const bench = await openAuditBench(hasSink)
  try {
    await addRecords(bench.dataDir, bench.like, WARM_RECORDS)
    await bench.drain()
    await addRecords(bench.dataDir, bench.like, records)
    const before = await bench.leaves()
    const cpu = process.cpuUsage()
    const instructions = await countInstructions(bench.drain)
    const { user, system } = process.cpuUsage(cpu)
    return { leaves: (await bench.leaves()) - before, instructions, cpuMicros: user + system }
  } finally {
    bench.close()
  }
}

const records = Number(process.argv[2] ?? 20_000)
for (const hasSink of [false, true]) {
  const { leaves, instructions, cpuMicros } = await measure(records, hasSink)
  const each = (total: number) => Math.round(total / leaves).toLocaleString('en')
  const counted =
    instructions === null ? 'instructions not counted (perf is missing)' : `${each(instructions)} instructions`
  process.stdout.write(
    `${hasSink ? 'log and one sink' : 'log alone'}: ${leaves} leaves of ${records} records: ${counted}, ${each(cpuMicros)} us CPU a leaf\n`,
  )
}
