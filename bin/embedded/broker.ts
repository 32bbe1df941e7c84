// The embedded broker: every function of Mintmark in one process over one SQLite file. Listens first, then wires, then serves.
import { anchorFileTail } from '../../lib/adapters/files/anchor-file.ts'
import type { Database } from '../../lib/adapters/sqlite/database.ts'
import { createTenantConfigStore } from '../../lib/adapters/sqlite/tenant-config-store.ts'
import type { ProblemKind } from '../../lib/client/outcome.ts'
import { QUARANTINE_REASONS } from '../../lib/domain/recovery.ts'
import { anchorFiles, anchorWarnings } from '../../lib/wire/anchor-place.ts'
import { BASE_URL_FORM, isBaseUrl } from '../policy/base-url.ts'
import type { Place } from '../policy/compile-options.ts'
import { readDirectory } from '../policy/tenant-directory.ts'
import { anchorHost } from './anchors.ts'
import { openAuditDatabase } from './audit.ts'
import type { BrokerOptions } from './broker-options.ts'
import { createClientOf } from './client-address.ts'
import { listen } from './listen.ts'
import { loadDocuments } from './load-directory.ts'
import { openStore } from './open-store.ts'
import type { Ops } from './ops.ts'
import { type QuarantineWatch, quarantineOf, untilRecovered, watchQuarantine } from './quarantine.ts'
import { wire } from './wire.ts'

export type Broker = { readonly url: string; readonly close: () => Promise<void> }

export type Started =
  | { readonly ok: true; readonly broker: Broker }
  | { readonly ok: false; readonly kind: ProblemKind; readonly problems: readonly string[] }

export const startBroker = async (options: BrokerOptions): Promise<Started> => {
  const refused = placeProblem(options)
  if (refused !== null) return { ok: false, kind: 'usage', problems: [`mintmark serve: ${refused}`] }
  // Before anything is made or listens: a mistyped directory is wrong usage.
  const files = readDirectory(options.tenantsDir)
  const opened = openStore({ dataDir: options.dataDir, dev: options.dev, masterKey: options.masterKey })
  if (!opened.ok) return { ok: false, kind: 'unavailable', problems: [`mintmark serve: ${opened.problem}`] }

  const listening = await listen(options)
  if (typeof listening === 'string') {
    opened.store.database.close()
    return { ok: false, kind: 'unavailable', problems: [`mintmark serve: ${listening}`] }
  }
  const { url, ops } = listening
  const place: Place = { baseUrl: (options.baseUrl ?? url).replace(/\/+$/, ''), dev: options.dev }
  if (options.dev) listening.answerTo(place.baseUrl)

  const loaded = loadDocuments(files, place)
  const configs = createTenantConfigStore(opened.store.database)
  const problems = loaded.ok ? await loaded.problemsBeside(configs) : loaded.problems
  if (!loaded.ok || problems.length > 0) {
    await listening.close()
    opened.store.database.close()
    return { ok: false, kind: 'refused', problems }
  }
  warnOf(options, url, ops)
  const watch = await watchedStore(options, opened.store.database, place.baseUrl, loaded.documents)
  await untilRecovered(watch)
  const wired = await wire({ ...options, issuedFloor: watch.issuedFloor }, opened.store, place, loaded.documents, ops)
  listening.serve(wired, () => !watch.isQuarantined())
  const close = async () => {
    listening.stopServing()
    await watch.close()
    // Or polls that wait would hold up the end.
    wired.release()
    await listening.close()
    await wired.close()
    opened.store.database.close()
  }
  return { ok: true, broker: { url, close } }
}

/** Once it is known to start: before what stops it, they would hide it. */
const warnOf = (options: BrokerOptions, url: string, ops: Ops | undefined): void => {
  const { warn, baseUrl, dev, auditLog, anchors = [] } = options
  if (!options.hasLimits)
    warn('WARNING: --limits off: no rate limits and no denial roll-ups. For benchmarks and tests only.')
  if (auditLog !== 'off') for (const warning of anchorWarnings(anchorHost, anchors)) warn(warning)
  if (ops !== undefined) warn(`metrics on ${ops.url}/metrics${ops.isOpen ? ', for whoever reaches it' : ''}`)
  if (baseUrl === null && !dev) warn(`no --base-url: issuers are built from ${url}, which nobody else can reach`)
}

/** One that is in quarantine is said to be, and waited for: recovery may take as long as it takes, and needs no restart. */
const watchedStore = async (
  options: BrokerOptions,
  database: Database,
  baseUrl: string,
  documents: readonly { readonly tenant: string }[],
): Promise<QuarantineWatch> => {
  const audit = openAuditDatabase(options.dataDir, options.dev)
  try {
    const tenants = documents.map(({ tenant }) => tenant)
    const paths = anchorFiles(options.anchors ?? [])
    for (const path of paths.filter((each) => anchorFileTail(each, 0) === null))
      options.warn(`WARNING: --anchor ${path} may not be read by this user: a restored backup is not found out by it`)
    const quarantine = await quarantineOf({ database, audit, baseUrl, tenants, anchorFiles: paths })
    if (quarantine !== null)
      options.warn(
        `QUARANTINE: ${QUARANTINE_REASONS[quarantine.reason]}. Everything is answered 503 until "mintmark recover"`,
      )
  } finally {
    audit.close()
  }
  return watchQuarantine(database)
}

/** What cannot be served safely, whatever the documents say. */
const placeProblem = ({ dev, host, baseUrl, trustedProxies }: BrokerOptions): string | null => {
  if (dev && !['127.0.0.1', '::1', 'localhost'].includes(host)) return '--dev listens on loopback only'
  if (baseUrl !== null && !isBaseUrl(baseUrl)) return BASE_URL_FORM
  try {
    createClientOf(trustedProxies)
    return null
  } catch {
    return '--trusted-proxy is a CIDR range such as 10.0.0.0/8'
  }
}
