// Quarantine on the embedded store: the look before a broker serves, and the watch while it does.
import { setTimeout as sleep } from 'node:timers/promises'
import { anchorFileTail } from '../../lib/adapters/files/anchor-file.ts'
import { logVerifierKeys, nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { nodeVerifyEd25519 } from '../../lib/adapters/keys/note-verifier.ts'
import { createChangeFeed } from '../../lib/adapters/sqlite/change-feed.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { feedPositions } from '../../lib/adapters/sqlite/feed-positions.ts'
import { createRecoveryStore } from '../../lib/adapters/sqlite/recovery.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { LIMITS } from '../../lib/domain/limits.ts'
import type { Quarantine } from '../../lib/domain/recovery.ts'
import { type NoteKey, openNote, parseVerifierKey } from '../../lib/domain/tlog/signed-note.ts'
import { logOriginOf } from '../../lib/flows/audit/append-log.ts'
import { AUDIT_READER } from '../../lib/flows/audit/pump-feed.ts'
import { checkStore } from '../../lib/flows/recovery/check-store.ts'
import type { EvidenceFloor } from '../../lib/ports/recovery.ts'
import type { PublishedLog } from '../../lib/ports/tenant-log.ts'
import { tenantIssuerUrl } from '../../lib/wire/tenant-urls.ts'
import { runRounds } from './run-rounds.ts'

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
  // Before the logs: what is anchored meanwhile by a broker beside us is in them by then.
  const anchors = anchorTexts(anchorFiles)
  const log = createTenantLog(audit)
  const keyStore = createSigningKeyStore(database)
  const logs = new Map<string, number>()
  const keys = new Map<string, readonly NoteKey[]>()
  for (const tenant of await everyTenant(database, log, tenants)) {
    const head = await log.about(tenant)
    const origin = head?.origin ?? logOriginOf(tenantIssuerUrl(baseUrl, tenant))
    logs.set(origin, head?.size ?? 0)
    const vkeys = await logVerifierKeys(keyStore, tenant, origin)
    keys.set(
      origin,
      vkeys.flatMap((vkey) => parseVerifierKey(nodeSha256, vkey) ?? []),
    )
  }
  /** A store without a key of the log has lost it, or is new: nothing speaks for itself then. */
  const isOurs = (origin: string, note: string): boolean => {
    const known = keys.get(origin) ?? []
    return known.length === 0 || openNote({ sha256: nodeSha256, verify: nodeVerifyEd25519 }, note, known) !== null
  }
  const positions = await feedPositions(createChangeFeed(database), audit, AUDIT_READER)
  return checkStore({ store: createRecoveryStore(database), clock: systemClock, isOurs }, { logs, anchors, positions })
}

/** Of documents, of the store, and of the logs: each may know one that the others have forgotten. */
const everyTenant = async (
  database: Database,
  log: Pick<PublishedLog, 'tenants'>,
  named: readonly string[],
): Promise<ReadonlySet<string>> => {
  const stored = await createTenantConfigStore(database).list()
  return new Set([...named, ...stored.map(({ tenant }) => tenant), ...(await log.tenants())])
}

export type QuarantineWatch = {
  readonly isQuarantined: () => boolean
  readonly issuedFloor: EvidenceFloor
  readonly close: () => Promise<void>
}

/** What cannot be read stands as it was: the store is unavailable then, and says so to every request. */
export const watchQuarantine = async (database: Database): Promise<QuarantineWatch> => {
  const store = createRecoveryStore(database)
  let state = await store.state()
  const looks = runRounds({
    round: async () => {
      state = await store.state()
      return false
    },
    pauseMs: LIMITS.quarantineLookMs,
    onFailure: () => undefined,
    isPausedFirst: true,
  })
  return {
    isQuarantined: () => state.quarantine !== null,
    issuedFloor: () => state.recovery?.floorSeconds,
    close: looks.close,
  }
}

/** Resolves when an operator has recovered the store. */
export const untilRecovered = async (watch: QuarantineWatch): Promise<void> => {
  while (watch.isQuarantined()) await sleep(LIMITS.quarantineLookMs)
}
