// Quarantine on the embedded store: the look before a broker serves, and the watch while it does.
import { setTimeout as sleep } from 'node:timers/promises'
import { anchorFileTail } from '../../lib/adapters/files/anchor-file.ts'
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { feedPositions } from '../../lib/adapters/sqlite/feed-positions.ts'
import { createRecoveryStore } from '../../lib/adapters/sqlite/recovery.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { Quarantine } from '../../lib/domain/recovery.ts'
import { logOriginOf } from '../../lib/flows/audit/append-log.ts'
import { AUDIT_READER } from '../../lib/flows/audit/pump-feed.ts'
import { checkStore } from '../../lib/flows/recovery/check-store.ts'
import type { EvidenceFloor } from '../../lib/ports/recovery.ts'
import { tenantIssuerUrl } from '../../lib/wire/tenant-urls.ts'

type Checked = {
  readonly database: Database
  readonly audit: Database
  readonly baseUrl: string
  /** All that documents name: of one without a log, an anchor may know. */
  readonly tenants: readonly string[]
  /** Paths of the anchors that are files. */
  readonly anchorFiles: readonly string[]
}

/** The ends of what files of anchors say, of those that may be read here. */
export const anchorTexts = (paths: readonly string[]): readonly string[] =>
  paths.map((path) => anchorFileTail(path, LIMITS.anchorTailBytes)).filter((text) => text !== null)

export const quarantineOf = async ({
  database,
  audit,
  baseUrl,
  tenants,
  anchorFiles,
}: Checked): Promise<Quarantine | null> => {
  const log = createTenantLog(audit)
  const logs = new Map<string, number>()
  for (const tenant of tenants) {
    const head = await log.head(tenant)
    logs.set(head?.origin ?? logOriginOf(tenantIssuerUrl(baseUrl, tenant)), head?.edge.size ?? 0)
  }
  return checkStore(
    { store: createRecoveryStore(database), clock: systemClock },
    {
      logs,
      anchors: anchorTexts(anchorFiles),
      positions: await feedPositions(createChangeFeed(database), audit, AUDIT_READER),
    },
  )
}

export type QuarantineWatch = {
  readonly isQuarantined: () => boolean
  readonly issuedFloor: EvidenceFloor
  readonly close: () => void
}

/** What cannot be read stands as it was: the store is unavailable then, and says so to every request. */
export const watchQuarantine = async (database: Database): Promise<QuarantineWatch> => {
  const store = createRecoveryStore(database)
  let state = await store.state()
  const timer = setInterval(() => {
    store.state().then(
      (read) => {
        state = read
      },
      () => undefined,
    )
  }, LIMITS.quarantineLookMs)
  timer.unref()
  return {
    isQuarantined: () => state.quarantine !== null,
    issuedFloor: () => state.recovery?.floorSeconds,
    close: () => clearInterval(timer),
  }
}

/** Resolves when an operator has recovered the store. */
export const untilRecovered = async (watch: QuarantineWatch): Promise<void> => {
  while (watch.isQuarantined()) await sleep(LIMITS.quarantineLookMs)
}
