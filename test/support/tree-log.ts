// Tenants' logs as `audit` appends to them: over a real audit.db, or over any store.
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { AUDIT } from '../../lib/adapters/sqlite/audit-schema.ts'
import { type Database, openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { systemSalts } from '../../lib/adapters/system/salts.ts'
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'
import { eventsOf } from '../../lib/domain/ocsf/map-entry.ts'
import { type AppendPorts, createTreeLog } from '../../lib/flows/audit/append-log.ts'
import type { AuditLog } from '../../lib/ports/audit-log.ts'
import type { LogLeaves } from '../../lib/ports/tenant-log.ts'

export const openAudit = (dataDir: string): Database => openDatabase({ dataDir, dev: null, schema: AUDIT })

export const treeLogIn = <Store extends AppendPorts['store']>(
  store: Store,
  recordOf: AppendPorts['recordOf'] = async () => null,
) => ({
  store,
  log: createTreeLog({
    store,
    salts: systemSalts,
    hashes: { sha256: nodeSha256, sha256Hex },
    issuerUrl: (tenant) => `https://sts.example.com/t/${tenant}`,
    recordOf,
  }),
})

export const treeLogOver = (database: Database, recordOf?: AppendPorts['recordOf']) =>
  treeLogIn(createTenantLog(database), recordOf)

/** A tree keeps events, not entries: which one an event is of is remembered here, by the log that appends. */
export const remembering = (log: AuditLog, leaves: LogLeaves['leaves']) => {
  const brought = new Map<string, AuditEntry>()
  return {
    log: {
      append(tenant: string, entries: readonly AuditEntry[]) {
        for (const entry of entries) {
          const [event] = eventsOf(entry, { issuerUrl: '' }, () => null)
          brought.set(`${tenant} ${event!.metadata.uid}`, entry)
        }
        return log.append(tenant, entries)
      },
    },
    /** In order. Throws where an index is missing. */
    async entries(tenant: string): Promise<readonly AuditEntry[]> {
      const found = await leaves(tenant, 0, 10_000)
      if (found.some(({ index }, at) => index !== at)) throw new Error('there is a gap')
      return found.flatMap(({ canonical }) => {
        const { uid } = (JSON.parse(canonical) as { metadata: { uid: string } }).metadata
        return brought.get(`${tenant} ${uid}`) ?? []
      })
    },
  }
}
