// Tenants' logs in this process.
import { type AuditEntry, nameOfEntry } from '../../domain/audit-entry.ts'
import type { AuditLog } from '../../ports/audit-log.ts'

export type MemoryAuditLog = AuditLog & { readonly entries: (tenant: string) => readonly AuditEntry[] }

export const createMemoryAuditLog = (): MemoryAuditLog => {
  const logs = new Map<string, Map<string, AuditEntry>>()
  return {
    async append(tenant, entries) {
      const log = logs.get(tenant) ?? new Map<string, AuditEntry>()
      logs.set(tenant, log)
      for (const entry of entries) {
        const id = `${entry.kind} ${nameOfEntry(entry).id}`
        if (!log.has(id)) log.set(id, entry)
      }
    },
    entries: (tenant) => [...(logs.get(tenant)?.values() ?? [])],
  }
}
