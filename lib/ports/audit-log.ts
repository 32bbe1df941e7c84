// The log of a tenant: what audit appends to. Nothing in it is ever changed or removed.
import type { AuditEntry } from '../domain/audit-entry.ts'

export interface AuditLog {
  /**
   * Appends entries of one tenant behind everything appended before, in the order given, numbered 0, 1, 2 … without gaps,
   * by any number of processes at once. An entry that is there already (kind and id) is passed over, however often it is
   * brought. Durable when it resolves. Throws Unavailable when it cannot tell: a part may be appended; bring all of it again.
   */
  append(tenant: string, entries: readonly AuditEntry[]): Promise<void>
}
