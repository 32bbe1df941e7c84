// The audit log of the embedded broker: who writes it, and the public part of it over HTTP.
import { createLogHandler } from '../../functions/discovery/log-handler.ts'
import { logJwks, logVerifierKeys } from '../../lib/adapters/keys/log-signer.ts'
import { createAnchorRecords } from '../../lib/adapters/sqlite/anchor-records.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import { lastWitnessed, withCosignatures } from '../../lib/domain/tlog/cosignature.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import { admitMirror } from '../../lib/flows/admit-source.ts'
import type { RateLimiter } from '../../lib/ports/rate-limiter.ts'
import type { SigningKeyStore } from '../../lib/ports/signing-keys.ts'
import type { Tracing } from '../../lib/ports/tracing.ts'
import type { Place } from '../policy/compile-options.ts'
import { type openAuditDatabase, startAudit } from './audit.ts'
import { startAuditThread } from './audit-thread.ts'
import type { BrokerOptions } from './broker-options.ts'
import type { OpenStore } from './open-store.ts'

type LogOptions = Pick<
  BrokerOptions,
  'dataDir' | 'secretsDir' | 'egressAllow' | 'masterKey' | 'auditLog' | 'auditBytes' | 'anchors' | 'traceEnvironment'
>

export const startAuditLog = (
  { dataDir, secretsDir, egressAllow, masterKey, auditLog = 'thread', traceEnvironment = {}, ...options }: LogOptions,
  {
    store,
    audit,
    keyStore,
    place,
    rates,
    log,
    countAlarm,
    tracing,
  }: {
    readonly store: OpenStore
    readonly audit: ReturnType<typeof openAuditDatabase>
    readonly keyStore: SigningKeyStore
    readonly place: Place
    readonly rates: RateLimiter
    readonly log: ReturnType<typeof createLogger>
    /** Of this thread. */
    readonly tracing: Tracing | undefined
    readonly countAlarm: ((kind: unknown) => void) | undefined
  },
) => {
  const budgetBytes = options.auditBytes ?? LIMITS.auditBytesDefault
  const where = { dataDir, secretsDir, egressAllow, budgetBytes, anchors: options.anchors ?? [], ...place }
  const writer = {
    thread: () => startAuditThread({ ...where, masterKey, traceEnvironment }, log, countAlarm),
    here: () => startAudit({ ...where, store, audit, log, tracing }),
    off: () => ({ close: async () => undefined }),
  }[auditLog]()
  const { checkpoint, tile, about } = createTenantLog(audit)
  const records = createAnchorRecords(audit)
  const verifierKeys = async (tenant: string) => logVerifierKeys(keyStore, tenant, (await about(tenant))?.origin ?? '')
  return {
    handler: createLogHandler(
      {
        async checkpoint(tenant) {
          const signed = await checkpoint(tenant)
          const kept = signed === null ? [] : await records.of(tenant)
          return signed === null
            ? null
            : {
                ...signed,
                note: withCosignatures(
                  signed.note,
                  kept.map(({ note }) => note),
                ),
              }
        },
        witnessed: async (tenant) => lastWitnessed(await records.of(tenant)),
        tile,
        verifierKeys,
        jwks: (tenant) => logJwks(keyStore, tenant),
        admitSource: admitMirror(rates),
      },
      log,
    ),
    close: async () => {
      await writer.close()
      audit.close()
    },
  }
}
