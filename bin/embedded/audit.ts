// `audit` on the embedded store: rounds over the change feed into the tenants' logs, a checkpoint after each, for as long as the
// broker runs. What a round cannot do is done by a later one, of this process or of another.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTenantDirectory, whileUnmoved } from '../../lib/adapters/config/tenant-directory.ts'
import { createJsonlSink } from '../../lib/adapters/files/jsonl-sink.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { createLogSigner, nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { AUDIT } from '../../lib/adapters/sqlite/audit-schema.ts'
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import { SMALL_CACHE_KIB } from '../../lib/adapters/sqlite/connection.ts'
import { type Database, openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { createQueue } from '../../lib/adapters/sqlite/queue.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { createSinkCursors } from '../../lib/adapters/sqlite/sink-cursors.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { systemSalts } from '../../lib/adapters/system/salts.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { createTreeLog } from '../../lib/flows/append-log.ts'
import { checkpointLogs } from '../../lib/flows/checkpoint-log.ts'
import { deliverAll, type Target } from '../../lib/flows/deliver-events.ts'
import { pumpFeed } from '../../lib/flows/pump-feed.ts'
import type { Tracing } from '../../lib/ports/tracing.ts'
import { tenantIssuerUrl } from '../../lib/wire/tenant-urls.ts'
import { compileStored } from './compile.ts'
import type { OpenStore } from './open-store.ts'
import { tracedAppend, tracedSink } from './tracing.ts'

type Log = Parameters<typeof createAlarm>[1]
type Failpoint = (name: 'appended' | 'signed' | 'delivered') => void

export const openAuditDatabase = (dataDir: string, dev: boolean | null): Database =>
  openDatabase({ dataDir, dev, schema: AUDIT, cacheKib: SMALL_CACHE_KIB })

export type AuditOptions = {
  readonly store: OpenStore
  readonly audit: Database
  readonly dataDir: string
  readonly dev: boolean
  readonly baseUrl: string
  readonly log: Log
  readonly tracing?: Tracing | undefined
  readonly failpoint?: Failpoint
}

/** One round: true where there is more to take. */
export const createAuditRound = (options: AuditOptions): (() => Promise<boolean>) => {
  const { store, audit, baseUrl, log, tracing, failpoint } = options
  const { database, vault } = store
  const clock = systemClock
  const alarm = createAlarm('audit', log)
  const keyStore = createSigningKeyStore(database)
  const decisions = createDecisionLookup(database)
  const tenantLog = createTenantLog(audit)
  const crash = failpoint === undefined ? {} : { failpoint }
  const treeLog = createTreeLog({
    store: tenantLog,
    salts: systemSalts,
    hashes: { sha256: nodeSha256, sha256Hex },
    issuerUrl: (tenant) => tenantIssuerUrl(baseUrl, tenant),
    recordOf: async (tenant, decisionId) => {
      const found = await decisions.find(decisionId, tenant)
      return found?.kind === 'allow' ? found.record : null
    },
  })
  const pump = {
    feed: createChangeFeed(database),
    quarantine: createQueue(database, 'audit', clock),
    alarm,
    clock,
    ...crash,
    log: tracing === undefined ? treeLog : { ...treeLog, append: tracedAppend(tracing, treeLog.append) },
  }
  const checkpoints = {
    store: tenantLog,
    // A ring of its own: nobody else unwraps keys of the log (design §2).
    signer: createLogSigner(keyStore, createLocalKeyRing({ store: keyStore, vault, clock, use: 'log' })),
    sha256: nodeSha256,
    clock,
    alarm,
    ...crash,
  }
  const deliveries = {
    log: tenantLog,
    cursors: createSinkCursors(audit),
    clock,
    holder: randomUUID(),
    targetsOf: sinkTargets(options),
    ...crash,
  }
  return async () => {
    const isMore = await pumpFeed(pump)
    await checkpointLogs(checkpoints)
    return (await deliverAll(deliveries, await tenantLog.tenants())) || isMore
  }
}

/** The sinks a tenant's current document names. */
const sinkTargets = ({ store: { database }, dataDir, baseUrl, dev, log, tracing }: AuditOptions) => {
  const directory = createTenantDirectory({
    configs: createTenantConfigStore(database),
    validity: whileUnmoved(() => database.controlThisTurn()),
    compile: (version) => compileStored(version, { baseUrl, dev }),
    onUnusable: (tenant, version) => log.error('stored configuration is not usable', { tenant, version }),
  })
  return async (tenant: string): Promise<readonly Target[]> => {
    const config = await directory.current(tenant)
    return (config?.sinks ?? []).map(({ name, path }) => {
      const issuerUrl = tenantIssuerUrl(baseUrl, tenant)
      const sink = createJsonlSink(join(dataDir, path), issuerUrl)
      return { tenant, issuerUrl, name, sink: tracing === undefined ? sink : tracedSink(tracing, name, sink) }
    })
  }
}

/** close() takes one last round, so that what was answered before is in the log when the broker is down. */
export const startAudit = (options: AuditOptions): { readonly close: () => Promise<void> } => {
  const round = createAuditRound(options)
  const closing = new AbortController()
  const attempt = async (): Promise<boolean> => {
    try {
      return await round()
    } catch {
      // The feed stands still meanwhile: nothing unacknowledged is swept away.
      options.log.error('a round of the audit log failed', { function: 'audit' })
      return false
    }
  }
  const run = async () => {
    while (!closing.signal.aborted) {
      if (await attempt()) continue
      await sleep(LIMITS.logRoundMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    async close() {
      closing.abort()
      await running
      await attempt()
    },
  }
}
