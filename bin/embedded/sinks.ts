// Which adapter stands behind which type of sink, and the deliverer that runs beside the rounds of the audit log: a sink that hangs
// holds up neither the log nor another sink.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createTenantDirectory, whileUnmoved } from '../../lib/adapters/config/tenant-directory.ts'
import { createJsonlSink } from '../../lib/adapters/files/jsonl-sink.ts'
import { createSecretFiles } from '../../lib/adapters/files/secret-files.ts'
import { createGuardedHttp } from '../../lib/adapters/http/guarded-http.ts'
import { createCollectorSink } from '../../lib/adapters/sinks/collector-sink.ts'
import { createWebhookSink } from '../../lib/adapters/sinks/webhook.ts'
import { createSinkCursors } from '../../lib/adapters/sqlite/sink-cursors.ts'
import { createSinkErrands } from '../../lib/adapters/sqlite/sink-errands.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { SinkRule } from '../../lib/domain/tenant-config.ts'
import { createAlarm } from '../../lib/edge/alarm.ts'
import { createDeliveries } from '../../lib/flows/audit/run-deliveries.ts'
import { createSinkTargets } from '../../lib/flows/audit/sink-targets.ts'
import { tracedPosts, tracedSink } from '../../lib/flows/traced-ports.ts'
import type { MessageSigner, Sink } from '../../lib/ports/sinks.ts'
import type { TenantConfigStore } from '../../lib/ports/tenants.ts'
import { tenantIssuerUrl } from '../../lib/wire/tenant-urls.ts'
import type { AuditOptions } from './audit-options.ts'
import { compileStored } from './compile.ts'
import { runRounds } from './run-rounds.ts'

type Wired = AuditOptions & { readonly signer: MessageSigner }

/** close() resolves when what is under way is taken or given up, after one delivery more. */
export const startDeliveries = (options: Wired): { readonly close: () => Promise<void> } => {
  const { audit, log, failpoint } = options
  const tenantLog = createTenantLog(audit)
  const cursors = createSinkCursors(audit)
  const holder = randomUUID()
  const deliveries = createDeliveries({
    log: tenantLog,
    cursors,
    errands: createSinkErrands(audit),
    clock: systemClock,
    alarm: createAlarm('audit', log),
    holder,
    targetsOf: sinkTargets(options),
    random: Math.random,
    onFailure: ({ tenant, name }) => log.error('a sink could not be served', { function: 'audit', tenant, sink: name }),
    ...(failpoint === undefined ? {} : { failpoint }),
  })
  const rounds = runRounds({
    round: async () => {
      await deliveries.round(await tenantLog.tenants())
      return false
    },
    pauseMs: LIMITS.logRoundMs,
    onFailure: () => log.error('a round of deliveries failed', { function: 'audit' }),
    isClosedByRound: true,
  })
  return {
    async close() {
      await rounds.close()
      await deliveries.stop()
      await cursors.release(holder)
    },
  }
}

const sinkTargets = (options: Wired) => {
  const { database } = options.store
  const { baseUrl, dev, log, tracing } = options
  const make = createSink(options)
  return createSinkTargets({
    directory: createTenantDirectory({
      configs: removedToo(createTenantConfigStore(database)),
      validity: whileUnmoved(() => database.controlThisTurn()),
      compile: (version) => compileStored(version, { baseUrl, dev }),
      onUnusable: (tenant, version) => log.error('stored configuration is not usable', { tenant, version }),
    }),
    issuerUrl: (tenant) => tenantIssuerUrl(baseUrl, tenant),
    make: (rule, tenant, issuerUrl) => {
      const sink = make(rule, tenant, issuerUrl)
      return tracing === undefined ? sink : tracedSink(tracing, systemClock, rule.name, sink)
    },
  })
}

/**
 * Until a removed tenant is erased, its sinks are owed what they have not taken: that it was removed is the last of it (design P7).
 * Nothing else is made of its document.
 */
const removedToo = (configs: Pick<TenantConfigStore, 'latest'>): Pick<TenantConfigStore, 'latest'> => ({
  async latest(tenant) {
    const found = await configs.latest(tenant)
    const isKept = (found?.tombstonedAtSeconds ?? 0) > systemClock.nowSeconds() - LIMITS.removedTenantKeepSeconds
    return found !== null && isKept ? { ...found, tombstonedAtSeconds: null } : found
  },
})

const createSink = ({ dataDir, secretsDir, egressAllow, dev, signer, tracing }: Wired) => {
  const guarded = createGuardedHttp({ dev, egressAllow, ports: 'any', query: true })
  const http = tracing === undefined ? guarded : tracedPosts(tracing, guarded)
  const secrets = createSecretFiles({ secretsDir, dataDir })
  return (rule: SinkRule, tenant: string, issuerUrl: string): Sink => {
    switch (rule.type) {
      case 'webhook':
        return createWebhookSink(rule, { http, secrets, signer, tenant, issuerUrl })
      case 'jsonl':
        return createJsonlSink(join(dataDir, rule.path), issuerUrl)
      default:
        return createCollectorSink(rule, { http, secrets, issuerUrl })
    }
  }
}
