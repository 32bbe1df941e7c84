// What a leaf of the audit log costs, from the record in the store to the line at the sink: node bench/leaf.ts [records]. The
// records are copies, under ids of their own, of one that a real exchange left behind.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuditRound, openAuditDatabase } from '../bin/embedded/audit.ts'
import { openStore } from '../bin/embedded/open-store.ts'
import { openDatabase } from '../lib/adapters/sqlite/database.ts'
import { createTenantLog } from '../lib/adapters/sqlite/tenant-log.ts'
import { systemClock } from '../lib/adapters/system/clock.ts'
import { createIds } from '../lib/adapters/system/ids.ts'
import type { GrantRecord } from '../lib/domain/grant-record.ts'
import { AUDIENCE, baseUrlOfBench, startBroker, tokenUrl } from './broker.ts'
import { countInstructions } from './count-instructions.ts'
import { makeIssuerKey, presign } from './presign.ts'
import { TENANT, writeTenants } from './tenants.ts'

const WARM_RECORDS = 4_000
const ROWS_PER_COMMIT = 5_000
const INSERT =
  'INSERT INTO grant_record (guard, decision, tenant, at, exp, keep_until, body) VALUES (randomblob(16), ?, ?, ?, ?, ?, ?)'

/** A data directory as a broker leaves it after one exchange, with its tenant's keys; and the record of the exchange. */
const prepare = async (dir: string, hasSink: boolean): Promise<GrantRecord> => {
  const key = makeIssuerKey()
  const tenantsDir = join(dir, 'tenants')
  writeTenants(tenantsDir, 1, key.jwks)
  if (hasSink)
    writeFileSync(
      join(tenantsDir, `${TENANT}.yaml`),
      `${readFileSync(join(tenantsDir, `${TENANT}.yaml`), 'utf8')}sinks:\n  local: { type: jsonl, path: ${TENANT}-audit.jsonl }\n`,
    )
  const broker = await startBroker(tenantsDir, join(dir, 'data'))
  const bodies = await presign(key, AUDIENCE, join(dir, 'bodies'), 1)
  const body = readFileSync(bodies.file).subarray(0, bodies.bodyLength)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await fetch(tokenUrl(broker), { method: 'POST', headers, body })
  if (response.status !== 200) throw new Error(`the exchange was refused: ${await response.text()}`)
  await broker.stop()
  const database = openDatabase({ dataDir: join(dir, 'data'), dev: true })
  const row = database.read((sql) => sql('SELECT body FROM grant_record').get())
  database.close()
  return JSON.parse(String(row?.['body'])) as GrantRecord
}

const addRecords = async (dataDir: string, like: GrantRecord, count: number): Promise<void> => {
  const database = openDatabase({ dataDir, dev: true })
  const ids = createIds(systemClock)
  for (let done = 0; done < count; done += ROWS_PER_COMMIT)
    await database.write((sql) => {
      for (let row = done; row < Math.min(count, done + ROWS_PER_COMMIT); row += 1) {
        const decisionId = ids.decisionId()
        const { evidence, credential, atSeconds, tenant } = like
        const record: GrantRecord = {
          ...like,
          decisionId,
          traceId: decisionId.replaceAll('-', ''),
          evidence: { ...evidence, jti: decisionId },
          credential: { ...credential, jti: decisionId },
        }
        const id = Buffer.from(decisionId.replaceAll('-', ''), 'hex')
        const keepUntil = atSeconds + 90_000
        sql(INSERT).run(id, tenant, atSeconds, evidence.exp, keepUntil, JSON.stringify(record))
      }
    })
  database.close()
}

type Cost = { readonly leaves: number; readonly instructions: number | null; readonly cpuMicros: number }

const measure = async (records: number, hasSink: boolean): Promise<Cost> => {
  const dir = mkdtempSync(join(tmpdir(), 'mintmark-leaf-'))
  const dataDir = join(dir, 'data')
  mkdirSync(dataDir, { mode: 0o700 })
  try {
    const like = await prepare(dir, hasSink)
    await addRecords(dataDir, like, WARM_RECORDS)
    const opened = openStore({ dataDir, dev: true, masterKey: undefined })
    if (!opened.ok) throw new Error(opened.problem)
    const { store } = opened
    const audit = openAuditDatabase(dataDir, true)
    const log = { error: () => undefined, info: () => undefined, warn: () => undefined } as never
    const round = createAuditRound({ store, audit, dataDir, dev: true, baseUrl: baseUrlOfBench, log })
    const sizeOf = async () => (await createTenantLog(audit).about(TENANT))?.size ?? 0
    const drain = async () => {
      while (await round());
    }
    await drain()
    await addRecords(dataDir, like, records)
    const before = await sizeOf()
    const cpu = process.cpuUsage()
    const instructions = await countInstructions(drain)
    const { user, system } = process.cpuUsage(cpu)
    const leaves = (await sizeOf()) - before
    audit.close()
    store.database.close()
    if (hasSink && !readdirSync(dataDir).includes(`${TENANT}-audit.jsonl`)) throw new Error('the sink got nothing')
    return { leaves, instructions, cpuMicros: user + system }
  } finally {
    rmSync(dir, { recursive: true, force: true })
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
