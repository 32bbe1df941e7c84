// The log of a tenant in a data directory, beside a running broker or not.
import { existsSync } from 'node:fs'
import { logVerifierKeys, nodeSha256, taintedLogKeys } from '../../lib/adapters/keys/log-signer.ts'
import { nodeVerifyEd25519 } from '../../lib/adapters/keys/note-verifier.ts'
import { AUDIT } from '../../lib/adapters/sqlite/audit-schema.ts'
import { databasePath } from '../../lib/adapters/sqlite/data-directory.ts'
import { type Database, openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createDecisionLookup } from '../../lib/adapters/sqlite/decision-lookup.ts'
import { createLogRetention } from '../../lib/adapters/sqlite/log-retention.ts'
import { createSigningKeyStore } from '../../lib/adapters/sqlite/signing-key-store.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import type { ProblemKind } from '../../lib/client/outcome.ts'
import type { LogSearch } from '../../lib/domain/audit-search.ts'
import { PROOF_REFUSALS, type ProvePorts, proveEvent, type Receipt } from '../../lib/flows/audit/prove-event.ts'
import { type Found, searchLog } from '../../lib/flows/audit/search-log.ts'
import type { Expired, LogLeaves, LogRetention, PublishedLog } from '../../lib/ports/tenant-log.ts'
import { openDatabaseBeside } from '../embedded/open-store.ts'

/** Thrown for what the operator can set right: printed, with the exit code its kind means. */
export class CannotOpen extends Error {
  readonly kind: ProblemKind
  constructor(message: string, kind: ProblemKind) {
    super(message)
    this.kind = kind
  }
}

/** As far as commands only read it, wherever it is. */
export type ReadableLog = {
  readonly tenant: string
  readonly log: Pick<LogLeaves, 'leaves'> & Omit<PublishedLog, 'tenants'>
  readonly search: (search: LogSearch, page: { readonly from: number; readonly limit: number }) => Promise<Found>
  /** Throws CannotOpen. */
  readonly prove: (uid: string) => Promise<Receipt>
  readonly origin: string
  readonly expired: () => Promise<Expired | null>
  readonly vkeys: () => Promise<readonly string[]>
  readonly close: () => void
}
export type OpenReadable = () => Promise<ReadableLog>

export const readableIn = (dataDir: string, tenant: string) => async (): Promise<ReadableLog> => {
  const { database, log, origin, retention, vkeys, close } = await openLog(dataDir, tenant)
  const expired = () => retention.expired(tenant)
  const shown = readHere(log, tenant, async () => vkeys, createDecisionLookup(database))
  return { tenant, log, ...shown, origin, expired, close }
}

/** What a broker does for whoever asks it over HTTP, done by the command itself. */
export const readHere = (
  log: LogLeaves & Omit<PublishedLog, 'tenants'>,
  tenant: string,
  vkeys: ReadableLog['vkeys'],
  decisions?: ProvePorts['decisions'],
): Pick<ReadableLog, 'search' | 'prove' | 'vkeys'> => ({
  vkeys,
  search: (search, page) => searchLog(log, tenant, search, page),
  async prove(uid) {
    const ports = { log, sha256: nodeSha256, verifierKeys: vkeys, ...(decisions === undefined ? {} : { decisions }) }
    const proven = await proveEvent(ports, tenant, uid)
    if (proven.ok) return proven.receipt
    throw new CannotOpen(PROOF_REFUSALS[proven.refusal], proven.refusal === 'not_covered' ? 'unavailable' : 'refused')
  },
})

export type OpenedLog = {
  readonly tenant: string
  readonly database: Database
  readonly audit: Database
  readonly log: ReturnType<typeof createTenantLog>
  readonly retention: LogRetention
  readonly origin: string
  readonly vkeys: readonly string[]
  readonly tainted: readonly string[]
  readonly close: () => void
}

export const openLog = async (dataDir: string, tenant: string): Promise<OpenedLog> => {
  const main = openDatabaseBeside(dataDir)
  if (!main.ok) throw new CannotOpen(main.problem, 'unavailable')
  const { database } = main
  if (!existsSync(databasePath(dataDir, AUDIT.file))) {
    database.close()
    throw new CannotOpen(`there is no log in ${dataDir}`, 'unavailable')
  }
  const audit = openDatabase({ dataDir, dev: null, schema: AUDIT })
  const close = () => {
    audit.close()
    database.close()
  }
  const log = createTenantLog(audit)
  const head = await log.about(tenant)
  if (head === null) {
    close()
    throw new CannotOpen(`there is no log of a tenant ${JSON.stringify(tenant)} here`, 'refused')
  }
  const keys = createSigningKeyStore(database)
  const vkeys = await logVerifierKeys(keys, tenant, head.origin)
  const tainted = await taintedLogKeys(keys, tenant, head.origin)
  const retention = createLogRetention(audit)
  return { tenant, database, audit, log, retention, origin: head.origin, vkeys, tainted, close }
}

export const VERIFY_PORTS = { hashes: { sha256: nodeSha256, sha256Hex }, verify: nodeVerifyEd25519 }
