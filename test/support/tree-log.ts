// A tenant log over a real audit.db, as `audit` appends to it.
import { nodeSha256 } from '../../lib/adapters/keys/log-signer.ts'
import { AUDIT } from '../../lib/adapters/sqlite/audit-schema.ts'
import { type Database, openDatabase } from '../../lib/adapters/sqlite/database.ts'
import { createTenantLog } from '../../lib/adapters/sqlite/tenant-log.ts'
import { sha256Hex } from '../../lib/adapters/system/digest.ts'
import { systemSalts } from '../../lib/adapters/system/salts.ts'
import { type AppendPorts, createTreeLog } from '../../lib/flows/audit/append-log.ts'

export const openAudit = (dataDir: string): Database => openDatabase({ dataDir, dev: null, schema: AUDIT })

export const treeLogOver = (database: Database, recordOf: AppendPorts['recordOf'] = async () => null) => {
  const store = createTenantLog(database)
  const log = createTreeLog({
    store,
    salts: systemSalts,
    hashes: { sha256: nodeSha256, sha256Hex },
    issuerUrl: (tenant) => `https://sts.example.com/t/${tenant}`,
    recordOf,
  })
  return { store, log }
}
