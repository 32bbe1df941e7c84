// The embedded broker: every function of Mintmark in one process over one SQLite file. Only wires; nothing is decided here.
import { createHandler as createAttest } from '../../functions/attest/handler.ts'
import { createHandler as createDiscovery } from '../../functions/discovery/handler.ts'
import { createLogHandler } from '../../functions/discovery/log-handler.ts'
import { createHandler as createMint } from '../../functions/mint/handler.ts'
import { createTenantDirectory, whileUnmoved } from '../../lib/adapters/config/tenant-directory.ts'
import { createProofVerifier, nodeSignatureVerifier } from '../../lib/adapters/jose/evidence-signature.ts'
import { createLocalKeyRing } from '../../lib/adapters/keys/local-key-ring.ts'
import { logVerifierKeys } from '../../lib/adapters/keys/log-signer.ts'
import { createFairTurns } from '../../lib/adapters/memory/fair-turns.ts'
import { createMemoryRateLimiter, unlimitedRates } from '../../lib/adapters/memory/rate-limiter.ts'
import { startDenialQueue } from '../../lib/adapters/sqlite/denials.ts'
import { createGrantStore } from '../../lib/adapters/sqlite/grant-store.ts'
import { withLogErased } from '../../lib/adapters/sqlite/log-eraser.ts'
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
import { LIMITS } from '../../lib/domain/limits.ts'
import { createLogger } from '../../lib/edge/logger.ts'
import { admitSource } from '../../lib/flows/admit-source.ts'
import { applyTenants } from '../../lib/flows/apply-tenants.ts'
import { createClockGuard } from '../../lib/flows/guard-clock.ts'
import type { MintPorts } from '../../lib/flows/mint-credential.ts'
import { PROVIDER_CATALOG } from '../../lib/providers/catalog.ts'
import { issuedTokenTypes, OAUTH_METADATA_PREFIX, RESOURCE_METADATA_PREFIX } from '../../lib/wire/metadata.ts'
import { authorOf } from '../commands/apply.ts'
import type { Place } from '../policy/compile-options.ts'
import { openAuditDatabase, startAudit } from './audit.ts'
import { startAuditThread } from './audit-thread.ts'
import { createClientOf, createHostAllowed } from './client-address.ts'
import { type AwsPlace, embeddedCloudSessions } from './cloud-sessions.ts'
import { compileStored } from './compile.ts'
import { startErasure } from './erasure.ts'
import { embeddedEventProofs, embeddedEvents } from './events.ts'
import { type HostOptions, startHost } from './http-host.ts'
import { startIssuerKeys } from './issuer-keys.ts'
import { loadDirectory } from './load-directory.ts'
import { type OpenStore, openStore } from './open-store.ts'
import { type Ops, type OpsPlace, startOps } from './ops.ts'
import { startOwnEndpoints } from './own-endpoints.ts'
import { startRotation } from './rotation.ts'

export type BrokerOptions = {
  readonly tenantsDir: string
  readonly dataDir: string
  readonly port: number
  readonly host: string
  /** null: http://<host>:<port>. */
  readonly baseUrl: string | null
  readonly dev: boolean
  readonly hasLimits: boolean
  readonly trustedProxies: readonly string[]
  readonly egressAllow: readonly string[]
  readonly secretsDir: string
  readonly aws: AwsPlace
  /** Value of MINTMARK_MASTER_KEY. */
  readonly masterKey: string | undefined
  readonly warn: (line: string) => void
  /** Where metrics are served; left out: nowhere, and nothing is counted. */
  readonly ops?: OpsPlace
  readonly failpoint?: NonNullable<MintPorts['failpoint']>
  /** Where the audit log is written: a thread of its own, or this one, for a broker that is bundled into one file; or not now. */
  readonly auditLog?: 'thread' | 'here' | 'off'
}

export type Broker = { readonly url: string; readonly close: () => Promise<void> }

export type Started =
  | { readonly ok: true; readonly broker: Broker }
  | { readonly ok: false; readonly exitCode: number; readonly problems: readonly string[] }

export const startBroker = async (options: BrokerOptions): Promise<Started> => {
  const refused = placeProblem(options)
  if (refused !== null) return { ok: false, exitCode: 2, problems: [`mintmark serve: ${refused}`] }
  const opened = openStore({ dataDir: options.dataDir, dev: options.dev, masterKey: options.masterKey })
  if (!opened.ok) return { ok: false, exitCode: 3, problems: [`mintmark serve: ${opened.problem}`] }
  if (!options.hasLimits)
    options.warn('WARNING: --limits off: no rate limits and no denial roll-ups. For benchmarks and tests only.')

  // The port first: without --base-url, issuers are built from it. Until the rest is wired every request gets a 503.
  const tenantRoutes: Record<string, HostOptions['tenantRoutes'][string]> = {}
  const rootRoutes: HostOptions['rootRoutes'][number][] = []
  let isReady = false
  let hostAllowed: HostOptions['hostAllowed'] = options.dev ? () => false : null
  const listening = await startHost({
    host: options.host,
    port: options.port,
    tenantRoutes,
    rootRoutes,
    isReady: () => isReady,
    hostAllowed: options.dev ? (host) => hostAllowed?.(host) ?? false : null,
    clientOf: createClientOf(options.trustedProxies),
  }).catch((error: NodeJS.ErrnoException) => error)
  if (listening instanceof Error) {
    opened.store.database.close()
    return cannotListen(`${options.host}:${options.port}`, listening)
  }
  const ops = options.ops && (await startOps(options.ops, () => isReady).catch((error: NodeJS.ErrnoException) => error))
  if (ops instanceof Error) {
    await listening.close()
    opened.store.database.close()
    return cannotListen('--ops-port', ops)
  }
  if (ops !== undefined) options.warn(`metrics on ${ops.url}/metrics${ops.isOpen ? ', for whoever reaches it' : ''}`)
  const stopListening = async () => {
    await listening.close()
    await ops?.close()
  }
  const url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${listening.port}`
  const place: Place = { baseUrl: (options.baseUrl ?? url).replace(/\/+$/, ''), dev: options.dev }
  hostAllowed = options.dev ? createHostAllowed(place.baseUrl) : null
  if (options.baseUrl === null && !options.dev)
    options.warn(`no --base-url: issuers are built from ${url}, which nobody else can reach`)

  const loaded = loadDirectory(options.tenantsDir, place)
  if (!loaded.ok) {
    await stopListening()
    opened.store.database.close()
    return { ok: false, exitCode: 1, problems: loaded.problems }
  }
  const wired = await wire(options, opened.store, place, loaded.documents, ops)
  Object.assign(tenantRoutes, wired.tenantRoutes)
  rootRoutes.push(...wired.rootRoutes)
  isReady = true
  const close = async () => {
    isReady = false
    await stopListening()
    await wired.close()
    opened.store.database.close()
  }
  return { ok: true, broker: { url, close } }
}

const cannotListen = (where: string, { code }: NodeJS.ErrnoException): Started => ({
  ok: false,
  exitCode: 3,
  problems: [`mintmark serve: cannot listen on ${where} (${code})`],
})

const HTTPS_BASE = /^https:\/\/[^/?#@\s]+(?:\/[^?#\s]*)?$/
const LOOPBACK_BASE = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:\/[^?#\s]*)?$/

/** What cannot be served safely, whatever the documents say. */
const placeProblem = ({ dev, host, baseUrl, trustedProxies }: BrokerOptions): string | null => {
  if (dev && !['127.0.0.1', '::1', 'localhost'].includes(host)) return '--dev listens on loopback only'
  if (baseUrl !== null && !HTTPS_BASE.test(baseUrl) && !LOOPBACK_BASE.test(baseUrl))
    return '--base-url must be an https URL without query or fragment (or http to loopback)'
  try {
    createClientOf(trustedProxies)
    return null
  } catch {
    return '--trusted-proxy is a CIDR range such as 10.0.0.0/8'
  }
}

const wire = async (
  options: BrokerOptions,
  store: OpenStore,
  place: Place,
  documents: Parameters<typeof applyTenants>[1],
  ops: Ops | undefined,
) => {
  const { database, vault } = store
  const clock = systemClock
  const log = createLogger('mintmark')
  const ids = createIds(clock)
  const configs = createTenantConfigStore(database)
  const report = await applyTenants({ configs, clock }, documents, authorOf(options.tenantsDir))
  for (const { tenant, outcome } of report.applied) {
    if (outcome === 'rolled_back') options.warn(`WARNING: ${tenant} went back to a document that was current before`)
    if (outcome === 'refused_tombstone') options.warn(`WARNING: ${tenant} was removed; its document is not applied`)
  }
  for (const tenant of report.missing)
    options.warn(`${tenant} is in the store but in no file of --tenants; it is served as it was`)

  const tenants = createTenantDirectory({
    configs,
    validity: whileUnmoved(() => database.controlThisTurn()),
    compile: (version) => compileStored(version, place),
    onUnusable: (tenant, version) => log.error('stored configuration is not usable', { tenant, version }),
  })
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
  const rotation = await startRotation({ store, configs, tenants, keyStore, keys: rings, clock, clockGuard, log })
  const issuerKeys = await startIssuerKeys({
    database,
    clock,
    place,
    egressAllow: options.egressAllow,
    configs,
    tenants,
    log,
  })
  const sweep = startSweep(database, clock)
  const auditDatabase = openAuditDatabase(options.dataDir, options.dev)
  const eraser = withLogErased(auditDatabase, createTenantEraser(database))
  const erasure = startErasure({ eraser, clock, clockGuard }, { log })
  const denials = startDenialQueue(database, { rollUps: options.hasLimits })
  const rates = options.hasLimits ? createMemoryRateLimiter(clock) : unlimitedRates
  const turns = createFairTurns(
    clock,
    options.hasLimits ? undefined : { tenantMax: Number.POSITIVE_INFINITY, instanceMax: Number.POSITIVE_INFINITY },
  )

  const evidence = {
    issuerKeys: issuerKeys.keys,
    signatures: nodeSignatureVerifier,
    digest: nodeDigest,
    providers: PROVIDER_CATALOG,
  }
  const cloudSessions = embeddedCloudSessions(place, options.egressAllow, options.aws)
  const state = createTenantState(database)
  const mint = createMint({
    ...evidence,
    tenants,
    proofs: createProofVerifier(nodeDigest),
    grants: createGrantStore(database),
    state,
    keys,
    clock,
    ...(cloudSessions === null ? {} : { cloudSessions }),
    clockGuard,
    ...(options.failpoint ? { failpoint: options.failpoint } : {}),
  })
  const counted = ops?.countDenials(denials) ?? denials
  const attest = createAttest({
    ports: { ...evidence, tenants, mint: { mint }, denials: counted, rates, ids, clock, turns },
    http: {
      admitSource: admitSource(rates),
      baseUrl: place.baseUrl,
      newTraceId: ids.traceId,
    },
    log,
  })
  const { secretsDir, dataDir } = options
  const reporting = { database, configs, tenants, clock, ids, issuerKeys: issuerKeys.keys, secretsDir, dataDir }
  const own = startOwnEndpoints({
    database,
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
  const audit = {
    thread: () => startAuditThread({ dataDir: options.dataDir, ...place, masterKey: options.masterKey }, log),
    here: () => startAudit({ store, audit: auditDatabase, dataDir: options.dataDir, ...place, log }),
    off: () => ({ close: async () => undefined }),
  }[options.auditLog ?? 'thread']()
  const tenantLog = createTenantLog(auditDatabase)
  const publicLog = createLogHandler(
    {
      checkpoint: tenantLog.checkpoint,
      tile: tenantLog.tile,
      verifierKeys: async (tenant) => logVerifierKeys(keyStore, tenant, (await tenantLog.about(tenant))?.origin ?? ''),
    },
    log,
  )
  const events = embeddedEvents({
    ...reporting,
    queue: own.queue,
    admit: admitSource(rates, 'events', LIMITS.eventRate),
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
      token: ops?.countExchanges(attest) ?? attest,
      ...own.tenantRoutes,
      events,
      'jwks.json': discovery,
      'signal-jwks.json': discovery,
      '.well-known/openid-configuration': discovery,
      'log/': publicLog,
    },
    rootRoutes: [
      { prefix: OAUTH_METADATA_PREFIX, handler: discovery },
      { prefix: RESOURCE_METADATA_PREFIX, handler: discovery },
    ],
    close: async () => {
      rotation.close()
      issuerKeys.close()
      sweep.close()
      await own.close()
      erasure.close()
      await denials.close()
      await audit.close()
      auditDatabase.close()
      await mark.close()
    },
  }
}
