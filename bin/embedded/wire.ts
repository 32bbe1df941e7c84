// Which adapter stands behind which port in the embedded broker, and which handler behind which path. Nothing is decided here.
import { createHandler as createAttest } from '../../functions/attest/handler.ts'
import { createHandler as createDiscovery } from '../../functions/discovery/handler.ts'
import { createHandler as createMint } from '../../functions/mint/handler.ts'
import { createTenantDirectory, whileUnmoved } from '../../lib/adapters/config/tenant-directory.ts'
import { createProofVerifier, nodeSignatureVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { createFairTurns } from '../../lib/adapters/memory/fair-turns.ts'
import { createMemoryRateLimiter, unlimitedRates } from '../../lib/adapters/memory/rate-limiter.ts'
import { startDenialQueue } from '../../lib/adapters/sqlite/denials.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { withLogErased } from '../../lib/adapters/sqlite/log-eraser.ts'
import { createLogRetention } from '../../lib/adapters/sqlite/log-retention.ts'
import { readLogState, readStoreState } from '../../lib/adapters/sqlite/operating-state.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { startSweep } from '../../lib/adapters/sqlite/sweep.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import { createTenantEraser } from '../../lib/adapters/sqlite/tenant-eraser.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { createTenantState } from '../../lib/adapters/sqlite/tenant-state.ts'
import { startTimeMark } from '../../lib/adapters/sqlite/time-mark.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { tracedEndpoint } from '../../lib/edge/traced-endpoint.ts'
import { admitSource, admitTransmitter } from '../../lib/flows/admit-source.ts'
import type { ExchangePorts } from '../../lib/flows/exchange-token.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import type { MintPorts } from '../../lib/flows/mint-credential.ts'
import { createOperatingState } from '../../lib/flows/operating-state.ts'
import { applyTenants } from '../../lib/flows/tenants/apply-tenants.ts'
import { tracedGrants, tracedKeys, tracedMint } from '../../lib/flows/traced-ports.ts'
import type { EvidenceFloor } from '../../lib/ports/recovery.ts'
import type { Tracing } from '../../lib/ports/tracing.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { issuedTokenTypes, OAUTH_METADATA_PREFIX, RESOURCE_METADATA_PREFIX } from '../../lib/wire/metadata.ts'
import { authorOf } from '../commands/apply.ts'
import type { Place } from '../policy/compile-options.ts'
import { openAuditDatabase } from './audit.ts'
import { startAuditLog } from './audit-log.ts'
import type { BrokerOptions } from './broker-options.ts'
import { embeddedCloudSessions } from './cloud-sessions.ts'
import { compileStored } from './compile.ts'
import { alarmCounter, countingAlarms } from './count-alarms.ts'
import { startErasure } from './erasure.ts'
import { embeddedEventProofs, embeddedEvents } from './events.ts'
import { startIssuerKeys } from './issuer-keys.ts'
import type { OpenStore } from './open-store.ts'
import type { Ops } from './ops.ts'
import { startOwnEndpoints } from './own-endpoints.ts'
import { startReceivers } from './receivers.ts'
import { startRotation } from './rotation.ts'
import { startTracing } from './tracing.ts'

type Wired = BrokerOptions & { readonly issuedFloor: EvidenceFloor }

/** Resolves when everything runs: what is answered where, and how all of it is stopped. */
export const wire = async (
  options: Wired,
  store: OpenStore,
  place: Place,
  documents: Parameters<typeof applyTenants>[1],
  ops: Ops | undefined,
) => {
  const { database, vault } = store
  const clock = systemClock
  const plainLog = createLogger('mintmark')
  const countAlarm = ops && alarmCounter(ops.counts)
  const log = countAlarm === undefined ? plainLog : countingAlarms(plainLog, countAlarm)
  const tracing = await startTracing(options.traceEnvironment ?? {})
  const ids = createIds(clock)
  const configs = createTenantConfigStore(database)
  await applyDocuments(options, { configs, clock }, documents)
  const tenants = createTenantDirectory({
    configs,
    validity: whileUnmoved(() => database.controlThisTurn()),
    compile: (version) => compileStored(version, place),
    onUnusable: (tenant, version) => log.error('stored configuration is not usable', { tenant, version }),
  })
  const served = (await configs.list()).filter(({ tombstonedAtSeconds }) => tombstonedAtSeconds === null)
  ops?.meter.knowTenants(
    tenants.peek,
    served.map(({ tenant }) => tenant),
  )
  const keyStore = createSigningKeyStore(database)
  const keys = createLocalKeyRing({ store: keyStore, vault, clock })
  // Of revoke alone, as the other is of mint: neither opens the keys of the other's use.
  const signalKeys = createLocalKeyRing({ store: keyStore, vault, clock, use: 'signal' })
  const rings = {
    invalidate(tenant: string) {
      keys.invalidate(tenant)
      signalKeys.invalidate(tenant)
    },
  }
  const mark = startTimeMark(database)
  const clockGuard = createClockGuard(clock, mark)
  const rotation = await startRotation({
    store,
    configs,
    tenants,
    keyStore,
    keys: rings,
    clock,
    clockGuard,
    log,
    counts: ops?.counts,
  })
  const issuerKeys = await startIssuerKeys({
    database,
    clock,
    place,
    egressAllow: options.egressAllow,
    configs,
    tenants,
    log,
    counts: ops?.counts,
  })
  const sweep = startSweep(database, clock)
  const auditDatabase = openAuditDatabase(options.dataDir, options.dev)
  const eraser = withLogErased(auditDatabase, createTenantEraser(database))
  const erasure = startErasure(
    {
      eraser,
      retention: createLogRetention(auditDatabase),
      tenants: createTenantLog(auditDatabase).tenants,
      directory: tenants,
      clock,
      clockGuard,
    },
    { log },
  )
  const denials = startDenialQueue(database, { rollUps: options.hasLimits })
  const counted = ops?.meter.countDenials(denials) ?? denials
  const rates = options.hasLimits ? createMemoryRateLimiter(clock) : unlimitedRates
  const cloudSessions = embeddedCloudSessions(place, options.egressAllow, options.aws)
  const state = createTenantState(database)
  const attest = wireExchange(options, {
    issuerKeys: issuerKeys.keys,
    tenants,
    grants: createGrantStore(database),
    state,
    keys,
    clock,
    clockGuard,
    ...(cloudSessions === null ? {} : { cloudSessions }),
    denials: counted,
    rates,
    ids,
    baseUrl: place.baseUrl,
    meter: ops?.meter,
    tracing,
    log,
  })
  const { secretsDir, dataDir } = options
  const reporting = { database, configs, tenants, clock, ids, issuerKeys: issuerKeys.keys, secretsDir, dataDir }
  const own = startOwnEndpoints({
    database,
    audit: auditDatabase,
    dataDir,
    place,
    configs,
    keyStore,
    keys: signalKeys,
    tenants,
    denials: counted,
    rates,
    ids,
    state,
    clock,
    clockGuard,
    eventProofs: embeddedEventProofs(reporting),
    log,
  })
  const receivers = startReceivers({
    database,
    secretsDir,
    dataDir,
    place,
    egressAllow: options.egressAllow,
    callers: own.callers,
    signalKeys,
    log,
    ...(options.failpoint === undefined ? {} : { failpoint: options.failpoint }),
  })
  const auditLog = startAuditLog(options, {
    store,
    audit: auditDatabase,
    keyStore,
    place,
    rates,
    log,
    countAlarm,
    tracing,
  })
  ops?.show(
    createOperatingState({
      readStores: (nowSeconds, isSink) => [
        ...readStoreState(database, nowSeconds),
        ...readLogState(auditDatabase, nowSeconds, isSink),
      ],
      tenants,
      clock,
      clockGuard,
      anchors: options.anchors?.length ?? 0,
    }),
  )
  const events = embeddedEvents({
    ...reporting,
    queue: own.queue,
    admit: admitTransmitter(rates),
    counts: ops?.counts,
    log,
  })
  const discovery = createDiscovery({
    ports: { tenants, keys: keyStore },
    tokenTypes: issuedTokenTypes({ hasCloudSessions: cloudSessions !== null }),
    takesOwnTokens: true,
    digest: nodeDigest,
    log,
  })
  return {
    tenantRoutes: {
      token: ops?.meter.countExchanges(attest) ?? attest,
      ...own.tenantRoutes,
      'receivers/': receivers.handler,
      events,
      'jwks.json': discovery,
      'signal-jwks.json': discovery,
      '.well-known/openid-configuration': discovery,
      'log/': auditLog.handler,
    },
    rootRoutes: [
      { prefix: OAUTH_METADATA_PREFIX, handler: discovery },
      { prefix: RESOURCE_METADATA_PREFIX, handler: discovery },
    ],
    release: receivers.release,
    close: async () => {
      rotation.close()
      issuerKeys.close()
      sweep.close()
      await own.close()
      await receivers.close()
      erasure.close()
      await denials.close()
      await auditLog.close()
      await mark.close()
      await tracing?.close()
    },
  }
}

const applyDocuments = async (
  { tenantsDir, warn }: BrokerOptions,
  ports: Parameters<typeof applyTenants>[0],
  documents: Parameters<typeof applyTenants>[1],
): Promise<void> => {
  const report = await applyTenants(ports, documents, authorOf(tenantsDir))
  for (const { tenant, outcome } of report.applied) {
    if (outcome === 'rolled_back') warn(`WARNING: ${tenant} went back to a document that was current before`)
    if (outcome === 'refused_tombstone') warn(`WARNING: ${tenant} was removed; its document is not applied`)
  }
  for (const tenant of report.missing)
    warn(`${tenant} is in the store but in no file of --tenants; it is served as it was`)
}

/** attest and mint in one process: the same flows as on AWS, with a call between them instead of an invocation. */
const wireExchange = (
  options: Wired,
  ports: Pick<MintPorts, 'issuerKeys' | 'tenants' | 'grants' | 'state' | 'keys' | 'clockGuard' | 'cloudSessions'> &
    Pick<ExchangePorts, 'denials' | 'rates' | 'ids' | 'clock' | 'meter'> & {
      readonly baseUrl: string
      readonly tracing: Tracing | undefined
      readonly log: ReturnType<typeof createLogger>
    },
) => {
  const {
    issuerKeys,
    tenants,
    grants,
    state,
    keys,
    clock,
    clockGuard,
    denials,
    rates,
    ids,
    meter,
    baseUrl,
    log,
    tracing,
  } = ports
  const evidence = {
    issuerKeys,
    signatures: nodeSignatureVerifier,
    digest: nodeDigest,
    providers: PROVIDER_CATALOG,
    issuedFloor: options.issuedFloor,
  }
  const untraced = createMint({
    ...evidence,
    tenants,
    proofs: createProofVerifier(nodeDigest),
    grants: tracing === undefined ? grants : tracedGrants(tracing, grants),
    state,
    keys: tracing === undefined ? keys : tracedKeys(tracing, keys),
    clock,
    clockGuard,
    ...(ports.cloudSessions === undefined ? {} : { cloudSessions: ports.cloudSessions }),
    ...(options.failpoint ? { failpoint: options.failpoint } : {}),
  })
  const mint = tracing === undefined ? untraced : tracedMint(tracing, untraced)
  const turns = createFairTurns(
    clock,
    options.hasLimits ? undefined : { tenantMax: Number.POSITIVE_INFINITY, instanceMax: Number.POSITIVE_INFINITY },
  )
  const attest = createAttest({
    ports: { ...evidence, tenants, mint: { mint }, denials, rates, ids, clock, turns, meter },
    http: { admitSource: admitSource(rates), baseUrl, newTraceId: ids.traceId },
    log,
  })
  return tracing === undefined ? attest : tracedEndpoint(tracing, attest)
}
