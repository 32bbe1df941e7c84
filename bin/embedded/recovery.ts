// What a recovery of the embedded store works on (lib/flows/recovery/recover-store.ts): beside brokers that run, which are in
// quarantine.
import { setTimeout as sleep } from 'node:timers/promises'
import { createKeyMaker, createKeyProver } from '../../lib/adapters/keys/key-maker.ts'
import { forgetFeedPositions } from '../../lib/adapters/sqlite/feed-positions.ts'
import { createRecoveryStore } from '../../lib/adapters/sqlite/recovery.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { startTimeMark } from '../../lib/adapters/sqlite/time-mark.ts'
import { systemClock as clock } from '../../lib/adapters/system/clock.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { createKeyActivation } from '../../lib/flows/keys/activate-key.ts'
import { rotateKeys } from '../../lib/flows/keys/rotate-keys.ts'
import type { RecoverPorts } from '../../lib/flows/recovery/recover-store.ts'
import { openAuditDatabase } from './audit.ts'
import type { OpenStore } from './open-store.ts'
import { embeddedRevocation } from './revocation.ts'

export type OpenRecovery = { readonly ports: RecoverPorts; readonly close: () => Promise<void> }

export const openRecovery = ({ database, vault }: OpenStore, dataDir: string): OpenRecovery => {
  const mark = startTimeMark(database)
  const audit = openAuditDatabase(dataDir, null)
  const keys = createSigningKeyStore(database)
  const rotation = {
    store: keys,
    maker: createKeyMaker(vault),
    activation: createKeyActivation({ store: keys, prover: createKeyProver(vault), clock }),
    clock,
    clockGuard: createClockGuard(clock, mark),
    ring: null,
  }
  return {
    ports: {
      forgetPositions: () => forgetFeedPositions(audit),
      store: createRecoveryStore(database),
      configs: createTenantConfigStore(database),
      keys,
      rotate: (tenant, needed) => rotateKeys(rotation, { tenant, needed }),
      revoke: embeddedRevocation(database, dataDir).ports,
      ids: createIds(clock),
      clock,
      sleep: (ms) => sleep(ms),
    },
    async close() {
      audit.close()
      await mark.close()
    },
  }
}
