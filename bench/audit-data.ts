// A data directory with records of exchanges that the audit log has still to take. They are copies, under ids of their own, of one
// that a real exchange left behind.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuditRound, openAuditDatabase } from '../bin/embedded/audit.ts'
import { openStore } from '../bin/embedded/open-store.ts'
import { createJsonlSink } from '../lib/adapters/files/jsonl-sink.ts'
import { createLocalKeyRing } from '../lib/adapters/keys/local-key-ring.ts'
import { openDatabase } from '../lib/adapters/sqlite/database.ts'
import { createSigningKeyStore } from '../lib/adapters/sqlite/signing-key-store.ts'
import { createSinkCursors } from '../lib/adapters/sqlite/sink-cursors.ts'
import { createTenantLog } from '../lib/adapters/sqlite/tenant-log.ts'
import { systemClock } from '../lib/adapters/system/clock.ts'
import { createIds } from '../lib/adapters/system/ids.ts'
import type { GrantRecord } from '../lib/domain/grant-record.ts'
import { deliverEvents, newSinkMemory } from '../lib/flows/audit/deliver-events.ts'
import { AUDIENCE, baseUrlOfBench, startBroker, tokenUrl } from './broker.ts'
import { makeIssuerKey, presign } from './presign.ts'
import { TENANT, writeTenants } from './tenants.ts'

const ROWS_PER_COMMIT = 5_000
const INSERT =
  'INSERT INTO grant_record (guard, decision, tenant, at, exp, keep_until, body) VALUES (randomblob(16), ?, ?, ?, ?, ?, ?)'

/** A data directory as a broker leaves it after one exchange, with its tenant's keys; and the record of the exchange. */
const prepare = async (dir: string, others: Readonly<Record<string, string>>): Promise<GrantRecord> => {
  const key = makeIssuerKey()
  const tenantsDir = join(dir, 'tenants')
  writeTenants(tenantsDir, 1, key.jwks)
  for (const [tenant, text] of Object.entries(others)) writeFileSync(join(tenantsDir, `${tenant}.yaml`), text)
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

/** Its copy under an id of its own. */
export const recordLike = (like: GrantRecord, decisionId: string): GrantRecord => ({
  ...like,
  decisionId,
  traceId: decisionId.replaceAll('-', ''),
  evidence: { ...like.evidence, jti: decisionId },
  credential: { ...like.credential, jti: decisionId },
})

export const addRecords = async (dataDir: string, like: GrantRecord, count: number): Promise<void> => {
  const database = openDatabase({ dataDir, dev: true })
  const ids = createIds(systemClock)
  for (let done = 0; done < count; done += ROWS_PER_COMMIT)
    await database.write((sql) => {
      for (let row = done; row < Math.min(count, done + ROWS_PER_COMMIT); row += 1) {
        const decisionId = ids.decisionId()
        const record = recordLike(like, decisionId)
        const { atSeconds, evidence, tenant } = record
        const id = Buffer.from(decisionId.replaceAll('-', ''), 'hex')
        const keepUntil = atSeconds + 90_000
        sql(INSERT).run(id, tenant, atSeconds, evidence.exp, keepUntil, JSON.stringify(record))
      }
    })
  database.close()
}

export type AuditBench = {
  readonly dataDir: string
  readonly like: GrantRecord
  /** Rounds of `audit`, as the broker takes them, until there is no more. */
  readonly drain: () => Promise<void>
  readonly leaves: (tenant?: string) => Promise<number>
  readonly close: () => void
}

/** `others`: documents of tenants that have keys there, too. */
export const openAuditBench = async (
  hasSink: boolean,
  others: Readonly<Record<string, string>> = {},
): Promise<AuditBench> => {
  const dir = mkdtempSync(join(tmpdir(), 'mintmark-leaf-'))
  const dataDir = join(dir, 'data')
  mkdirSync(dataDir, { mode: 0o700 })
  const like = await prepare(dir, others)
  const opened = openStore({ dataDir, dev: true, masterKey: undefined })
  if (!opened.ok) throw new Error(opened.problem)
  const { store } = opened
  const audit = openAuditDatabase(dataDir, true)
  const log = { error: () => undefined, info: () => undefined, warn: () => undefined } as never
  const keyStore = createSigningKeyStore(store.database)
  const keys = createLocalKeyRing({ store: keyStore, vault: store.vault, clock: systemClock, use: 'log' })
  const place = { dev: true, baseUrl: baseUrlOfBench, secretsDir: dir, egressAllow: [], anchors: [] }
  const budgetBytes = Number.MAX_SAFE_INTEGER
  const round = createAuditRound({ ...place, store, audit, dataDir, budgetBytes, log }, { keyStore, keys })
  const tenantLog = createTenantLog(audit)
  const issuerUrl = `${baseUrlOfBench}/t/${TENANT}`
  const target = {
    tenant: TENANT,
    issuerUrl,
    name: 'local',
    sink: createJsonlSink(join(dataDir, `${TENANT}-audit.jsonl`), issuerUrl),
  }
  const ports = {
    log: tenantLog,
    cursors: createSinkCursors(audit),
    clock: systemClock,
    alarm: () => undefined,
    holder: 'bench',
  }
  const memory = newSinkMemory()
  return {
    dataDir,
    like,
    async drain() {
      while (await round());
      while (hasSink && (await deliverEvents(ports, target, memory)).kind === 'more');
    },
    leaves: async (tenant = TENANT) => (await tenantLog.about(tenant))?.size ?? 0,
    close() {
      audit.close()
      store.database.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
