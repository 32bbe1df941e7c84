// The audit log of the embedded broker: who writes it, and the public part of it over HTTP.
import { createLogHandler } from '../../functions/discovery/log-handler.ts'
import { logVerifierKeys } from '../../lib/adapters/keys/log-signer.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import type { SigningKeyStore } from '../../lib/ports/signing-keys.ts'
import type { Tracing } from '../../lib/ports/tracing.ts'
import type { Place } from '../policy/compile-options.ts'
import { type openAuditDatabase, startAudit } from './audit.ts'
import { startAuditThread } from './audit-thread.ts'
import type { BrokerOptions } from './broker-options.ts'
import type { OpenStore } from './open-store.ts'

export const startAuditLog = (
  {
    dataDir,
    masterKey,
    auditLog = 'thread',
    traceEnvironment = {},
  }: Pick<BrokerOptions, 'dataDir' | 'masterKey' | 'auditLog' | 'traceEnvironment'>,
  {
    store,
    audit,
    keyStore,
    place,
    log,
    countAlarm,
    tracing,
  }: {
    readonly store: OpenStore
    readonly audit: ReturnType<typeof openAuditDatabase>
    readonly keyStore: SigningKeyStore
    readonly place: Place
    readonly log: ReturnType<typeof createLogger>
    /** Of this thread. */
    readonly tracing: Tracing | undefined
    readonly countAlarm: ((kind: unknown) => void) | undefined
  },
) => {
  const writer = {
    thread: () => startAuditThread({ dataDir, ...place, masterKey, traceEnvironment }, log, countAlarm),
    here: () => startAudit({ store, audit, dataDir, ...place, log, tracing }),
    off: () => ({ close: async () => undefined }),
  }[auditLog]()
  const { checkpoint, tile, about } = createTenantLog(audit)
  const verifierKeys = async (tenant: string) => logVerifierKeys(keyStore, tenant, (await about(tenant))?.origin ?? '')
  return {
    handler: createLogHandler({ checkpoint, tile, verifierKeys }, log),
    close: async () => {
      await writer.close()
      audit.close()
    },
  }
}
