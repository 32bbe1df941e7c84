// The parts of the embedded broker, in the order they start: what they share, what each of them is given, and what is answered
// where. Nothing is decided here.
import { createHandler as createDiscovery } from '../../functions/discovery/handler.ts'
import { createMemoryRateLimiter, unlimitedRates } from '../../lib/adapters/memory/rate-limiter.ts'
import { startDenialQueue } from '../../lib/adapters/sqlite/denials.ts'
import { readLogState, readStoreState } from '../../lib/adapters/sqlite/operating-state.ts'
import { createTenantState } from '../../lib/adapters/sqlite/tenant-state.ts'
import { startTimeMark } from '../../lib/adapters/sqlite/time-mark.ts'
import { systemClock } from '../../lib/adapters/system/clock.ts'
import { nodeDigest } from '../../lib/adapters/system/digest.ts'
import { createIds } from '../../lib/adapters/system/ids.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { admitTransmitter } from '../../lib/flows/admit-source.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import { createOperatingState } from '../../lib/flows/operating-state.ts'
import type { EvidenceFloor } from '../../lib/ports/recovery.ts'
import { issuedTokenTypes, OAUTH_METADATA_PREFIX, RESOURCE_METADATA_PREFIX } from '../../lib/wire/metadata.ts'
import type { Place } from '../policy/compile-options.ts'
import { openAuditDatabase } from './audit.ts'
import { startAuditLog } from './audit-log.ts'
import type { BrokerOptions } from './broker-options.ts'
import { embeddedCloudSessions } from './cloud-sessions.ts'
import { alarmCounter, countingAlarms } from './count-alarms.ts'
import { embeddedEventProofs, embeddedEvents } from './events.ts'
import { wireExchange } from './exchange.ts'
import { startIssuerKeys } from './issuer-keys.ts'
import type { OpenStore } from './open-store.ts'
import type { Ops } from './ops.ts'
import { startOwnEndpoints } from './own-endpoints.ts'
import { startOwnKeys } from './own-keys.ts'
import { startReceivers } from './receivers.ts'
import { type Documents, serveTenants } from './tenants.ts'
import { startTracing } from './tracing.ts'
import { startUpkeep } from './upkeep.ts'

type WireOptions = BrokerOptions & { readonly issuedFloor: EvidenceFloor }

/** Resolves when everything runs: what is answered where, and how all of it is stopped. */
export const wire = async (
  options: WireOptions,
  store: OpenStore,
  place: Place,
  documents: Documents,
  ops: Ops | undefined,
) => {
  const { shared, denials, mark } = await startShared(options, store, place, documents, ops)
  const { tenants, rates, tracing, log } = shared
  const ownKeys = await startOwnKeys(shared)
  const { keyStore, tokenKeys, signalKeys, rotation } = ownKeys
  const issuerKeys = startIssuerKeys(shared)
  const upkeep = startUpkeep(shared)
  const cloudSessions = embeddedCloudSessions(place, options.egressAllow, options.aws)
  const token = wireExchange({ ...shared, issuerKeys: issuerKeys.keys, tokenKeys, cloudSessions })
  const reporting = { ...shared, issuerKeys: issuerKeys.keys }
  const own = startOwnEndpoints({
    ...shared,
    keyStore,
    rotation,
    keys: signalKeys,
    eventProofs: embeddedEventProofs(reporting),
  })
  const receivers = startReceivers({ ...shared, callers: own.callers, signalKeys })
  const auditLog = startAuditLog(options, { ...shared, keyStore })
  const events = embeddedEvents({ ...reporting, queue: own.queue, admit: admitTransmitter(rates) })
  const discovery = createDiscovery({
    ports: { tenants, keys: keyStore },
    tokenTypes: issuedTokenTypes({ hasCloudSessions: cloudSessions !== null }),
    takesOwnTokens: true,
    digest: nodeDigest,
    log,
  })
  return {
    tenantRoutes: {
      token: token.handler,
      ...own.tenantRoutes,
      'receivers/': receivers.handler,
      events,
      'jwks.json': discovery,
      'signal-jwks.json': discovery,
      '.well-known/openid-configuration': discovery,
      'log/': auditLog.handler,
    },
    tenantDoors: { token: token.door },
    rootRoutes: [
      { prefix: OAUTH_METADATA_PREFIX, handler: discovery },
      { prefix: RESOURCE_METADATA_PREFIX, handler: discovery },
    ],
    settled: denials.settled,
    release: receivers.release,
    close: async () => {
      // Nobody waits for what these have begun: a fetch or an erasure may take long, and is gone on with after the next start.
      void issuerKeys.close()
      void upkeep.close()
      await ownKeys.close()
      await own.close()
      await receivers.close()
      // Before the last round of the log, which takes them.
      const lost = await denials.close()
      if (lost > 0) log.error('denials are lost: the store does not take them', { count: lost })
      await auditLog.close()
      await mark.close()
      await tracing?.close()
    },
  }
}

/** What more than one part is given: stores, clock, the tenants' documents, and whoever counts, limits and logs. */
const startShared = async (
  options: WireOptions,
  store: OpenStore,
  place: Place,
  documents: Documents,
  ops: Ops | undefined,
) => {
  const { dataDir, secretsDir, egressAllow, hasLimits, issuedFloor, failpoint } = options
  const { database } = store
  const clock = systemClock
  const plainLog = createLogger('mintmark')
  const countAlarm = ops && alarmCounter(ops.counts)
  const log = countAlarm === undefined ? plainLog : countingAlarms(plainLog, countAlarm)
  const meter = ops?.meter
  const tracing = await startTracing(options.traceEnvironment ?? {})
  const { configs, tenants } = await serveTenants(options, documents, { database, clock, place, meter, log })
  const mark = startTimeMark(database)
  const clockGuard = createClockGuard(clock, mark)
  const audit = openAuditDatabase(dataDir, options.dev)
  const denials = startDenialQueue(database, { rollUps: hasLimits })
  ops?.show(
    createOperatingState({
      readStores: (nowSeconds, isSink) => [
        ...readStoreState(database, nowSeconds),
        ...readLogState(audit, nowSeconds, isSink),
      ],
      tenants,
      clock,
      clockGuard,
      anchors: options.anchors?.length ?? 0,
    }),
  )
  const shared = {
    store,
    database,
    audit,
    configs,
    tenants,
    state: createTenantState(database),
    place,
    dataDir,
    secretsDir,
    egressAllow,
    clock,
    clockGuard,
    issuedFloor,
    ids: createIds(clock),
    denials: meter?.countDenials(denials) ?? denials,
    hasLimits,
    rates: hasLimits ? createMemoryRateLimiter(clock) : unlimitedRates,
    meter,
    counts: ops?.counts,
    countAlarm,
    log,
    tracing,
    ...(failpoint === undefined ? {} : { failpoint }),
  }
  return { shared, denials, mark }
}
