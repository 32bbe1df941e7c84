// `audit` on the embedded store: rounds over the change feed into the tenants' logs, a checkpoint after each, for as long as the
// broker runs. What a round cannot do is done by a later one, of this process or of another.
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { createLogSigner, createMessageSigner, nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { AUDIT } from '../../lib/adapters/sqlite/audit-schema.ts'
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import { SMALL_CACHE_KIB } from '../../lib/adapters/sqlite/connection.ts'
import { type Database, openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { withPositionsKept } from '../../lib/adapters/sqlite/feed-positions.ts'
import { createQueue } from '../../lib/adapters/sqlite/queue.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { usedBytes } from '../../lib/adapters/sqlite/used-bytes.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { systemSalts } from '../../lib/adapters/system/salts.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { createRound } from '../../lib/flows/audit/append-and-sign.ts'
import { createTreeLog } from '../../lib/flows/audit/append-log.ts'
import { checkpointLogs } from '../../lib/flows/audit/checkpoint-log.ts'
import { createLogBudget } from '../../lib/flows/audit/log-budget.ts'
import { pumpFeed } from '../../lib/flows/audit/pump-feed.ts'
import { tracedAppend } from '../../lib/flows/traced-ports.ts'
import type { KeyRing, SigningKeyStore } from '../../lib/ports/signing-keys.ts'
import { tenantIssuerUrl } from '../../lib/wire/tenant-urls.ts'
import { startAnchors } from './anchors.ts'
import type { AuditOptions } from './audit-options.ts'
import { runRounds } from './run-rounds.ts'
import { startDeliveries } from './sinks.ts'

export const openAuditDatabase = (dataDir: string, dev: boolean | null): Database =>
  openDatabase({ dataDir, dev, schema: AUDIT, cacheKib: SMALL_CACHE_KIB })

type LogKeys = { readonly keyStore: SigningKeyStore; readonly keys: KeyRing }

/** One round: true where there is more to take. */
export const createAuditRound = (
  { store: { database }, audit, baseUrl, budgetBytes, log, tracing, failpoint }: AuditOptions,
  { keyStore, keys }: LogKeys,
): (() => Promise<boolean>) => {
  const clock = systemClock
  const alarm = createAlarm('audit', log)
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
    feed: withPositionsKept(createChangeFeed(database), audit, clock),
    quarantine: createQueue(database, 'audit', clock),
    alarm,
    clock,
    ...crash,
    log: tracing === undefined ? treeLog : { ...treeLog, append: tracedAppend(tracing, clock, treeLog.append) },
  }
  const checkpoints = {
    store: tenantLog,
    signer: createLogSigner(keyStore, keys),
    sha256: nodeSha256,
    clock,
    alarm,
    ...crash,
  }
  const budget = createLogBudget({ bytesUsed: () => usedBytes(audit), budgetBytes, alarm, clock })
  return createRound({
    append: async () => budget.hasRoom() && (await pumpFeed(pump)),
    sign: () => checkpointLogs(checkpoints),
    clock,
  })
}

/** close() takes one last round, so that what was answered before is in the log when the broker is down. */
export const startAudit = (options: AuditOptions): { readonly close: () => Promise<void> } => {
  const { database, vault } = options.store
  const keyStore = createSigningKeyStore(database)
  // A ring of its own: nobody else unwraps keys of the log (design §2).
  const keys = createLocalKeyRing({ store: keyStore, vault, clock: systemClock, use: 'log' })
  const round = createAuditRound(options, { keyStore, keys })
  const anchoring = startAnchors(options)
  const deliveries = startDeliveries({ ...options, signer: createMessageSigner(keyStore, keys, systemClock) })
  const rounds = runRounds({
    round,
    pauseMs: LIMITS.logRoundMs,
    // The feed stands still meanwhile: nothing unacknowledged is swept away.
    onFailure: () => options.log.error('a round of the audit log failed', { function: 'audit' }),
    isClosedByRound: true,
  })
  return {
    async close() {
      await rounds.close()
      await Promise.all([deliveries.close(), anchoring.close()])
    },
  }
}
