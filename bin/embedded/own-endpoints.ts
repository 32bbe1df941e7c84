// The endpoints of a tenant that take its own tokens, the queue their orders go to, and the feed: wired over the embedded store.
import { createHandler as createAdmin } from '../../functions/admin/handler.ts'
import { createFeedHandler } from '../../functions/discovery/handler.ts'
import { createIntrospect, createRevokeToken } from '../../functions/introspect/handler.ts'
import { createHandler as createRevoke } from '../../functions/revoke/handler.ts'
import { createProofVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import { createOwnSignatures } from '../../lib/adapters/jose/own-signature.ts'
import { logVerifierKeys, nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { createAnchorRecords } from '../../lib/adapters/sqlite/anchor-records.ts'
import { createChangeFeed, createKeyOrders, createLookUps } from '../../lib/adapters/sqlite/change-feed.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { createLogRetention } from '../../lib/adapters/sqlite/log-retention.ts'
import { createProofGuards } from '../../lib/adapters/sqlite/proof-guards.ts'
import { createReceivers } from '../../lib/adapters/sqlite/receivers.ts'
import { createRecentRecords } from '../../lib/adapters/sqlite/recent-records.ts'
import { createRevocationChanges } from '../../lib/adapters/sqlite/revocation-changes.ts'
import { createRevocationStore } from '../../lib/adapters/sqlite/revocation-store.ts'
import { createSinkBoard, createSinkErrands } from '../../lib/adapters/sqlite/sink-errands.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import type { HttpHandler } from '../../lib/edge/http.ts'
import type { createLogger } from '../../lib/edge/logger.ts'
import { admitSource } from '../../lib/flows/admit-source.ts'
import type { ReadLogPorts } from '../../lib/flows/audit/read-log.ts'
import type { CallerPorts } from '../../lib/flows/authorize-caller.ts'
import type { RotatePorts } from '../../lib/flows/keys/rotate-keys.ts'
import { carryOutLift } from '../../lib/flows/revocation/carry-out-lift.ts'
import { createTokenProofs } from '../../lib/flows/revocation/check-token-proof.ts'
import { createReplayProofs } from '../../lib/flows/revocation/follow-replays.ts'
import { createFeed, type FeedPorts } from '../../lib/flows/revocation/publish-feed.ts'
import type { Queue } from '../../lib/ports/queue.ts'
import type { OrderProofs } from '../../lib/ports/revocation-orders.ts'
import type { SigningKeyStore } from '../../lib/ports/signing-keys.ts'
import type { TenantConfigStore } from '../../lib/ports/tenants.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import type { Place } from '../policy/compile-options.ts'
import { compileStored } from './compile.ts'
import { startQueuePump } from './queue-pump.ts'
import { startReplays } from './replays.ts'
import { embeddedRevocation } from './revocation.ts'

type OwnEndpoints = {
  readonly database: Database
  readonly audit: Database
  readonly dataDir: string
  readonly place: Place
  readonly configs: TenantConfigStore
  readonly keyStore: SigningKeyStore
  readonly rotation: RotatePorts
  /** Who judges what security events ordered. */
  readonly eventProofs: OrderProofs
  readonly log: ReturnType<typeof createLogger>
} & Pick<CallerPorts, 'tenants' | 'denials' | 'rates' | 'ids' | 'state'> &
  // Keys: those of revoke, which opens no other use's.
  Pick<FeedPorts, 'keys' | 'clock' | 'clockGuard'>

type RunningEndpoints = {
  readonly tenantRoutes: Readonly<Record<'introspect' | 'revoke' | 'admin/' | 'revocations', HttpHandler>>
  readonly queue: Queue
  /** Of whoever calls with a token of ours. */
  readonly callers: CallerPorts
  readonly close: () => Promise<void>
}

export const startOwnEndpoints = (options: OwnEndpoints): RunningEndpoints => {
  const { database, dataDir, place, configs, keyStore, eventProofs, log } = options
  const { audit, tenants, denials, rates, ids, state, clock } = options
  const records = createDecisionLookup(database)
  const ownTokens = {
    keys: keyStore,
    signatures: createOwnSignatures(),
    records,
    state,
    digest: nodeDigest,
    tenants,
    clock,
    proofs: createProofVerifier(nodeDigest),
  }
  const { queue, ports } = embeddedRevocation(database, dataDir, {
    token: createTokenProofs(ownTokens),
    set: eventProofs,
    github: eventProofs,
    leak: eventProofs,
    replay: createReplayProofs({ decisions: records, tenants }),
  })
  const revocations = createRevocationStore(database)
  const handler = createRevoke({
    ports,
    lift: (order) => carryOutLift({ ...ownTokens, revocations }, order),
    sideBySide: true,
    quarantine: queue,
    log,
  })
  const pump = startQueuePump({ source: queue, handler, log })
  const replays = startReplays({ feed: createChangeFeed(database), decisions: records, tenants, queue, clock }, log)
  const callers = { ...ownTokens, denials, rates, ids, orders: queue, guards: createProofGuards(database) }
  const feed = createFeed({ ...options, changes: createRevocationChanges(database) })
  return {
    tenantRoutes: {
      introspect: createIntrospect({ ports: { ...callers, isClockTrusted: options.clockGuard.isTrusted }, log }),
      revoke: createRevokeToken({ ports: callers, log }),
      'admin/': createAdmin({
        ports: {
          ...callers,
          configs,
          compile: (version) => compileStored(version, place),
          catalog: PROVIDER_CATALOG,
          recent: createRecentRecords(database),
          revocations,
          receivers: createReceivers(database),
          applied: ports.orders,
          lookUps: createLookUps(database),
          auditLog: { ...readableLog(audit, keyStore), decisions: records },
          ownKeys: { ...options.rotation, ids, revoke: revocations.put, orders: createKeyOrders(database) },
          sinks: {
            board: createSinkBoard(audit),
            errands: createSinkErrands(audit),
            anchors: createAnchorRecords(audit),
          },
        },
        log,
      }),
      revocations: createFeedHandler({ feed, tenants, admitSource: admitSource(rates) }, log),
    },
    queue,
    callers,
    close: async () => {
      await replays.close()
      await pump.close()
    },
  }
}

/** What `audit:read` opens: the same log that `mintmark audit` reads. */
const readableLog = (audit: Database, keyStore: SigningKeyStore): ReadLogPorts => {
  const log = createTenantLog(audit)
  return {
    log,
    retention: createLogRetention(audit),
    sha256: nodeSha256,
    verifierKeys: async (tenant) => logVerifierKeys(keyStore, tenant, (await log.about(tenant))?.origin ?? ''),
  }
}
