// `decision ID` on AWS: from the tenant's log, a moment after it was made (the change feed lies between).
import type { AuditEntry } from '../../domain/audit-entry.ts'
import type { StoredDecision } from '../../domain/grant-record.ts'
import type { DecisionLookup } from '../../ports/decisions.ts'
import { readEntryItem, readLookUpItem } from './dynamo-log-rows.ts'
import { begin, getItem, queryAll, type Table } from './dynamo-request.ts'
import { logDecisionPartition, logEntryKey } from './table-keys.ts'

/** `tenants`: all there are, for whoever may ask without naming one. */
export const createDecisionLookup = (table: Table, tenants: () => Promise<readonly string[]>): DecisionLookup => ({
  async find(decisionId, tenant) {
    for (const asked of tenant === null ? await tenants() : [tenant]) {
      const found = decisionOf(await entriesOf(table, asked, decisionId))
      if (found !== null) return found
    }
    return null
  },
})

const entriesOf = async (table: Table, tenant: string, decisionId: string): Promise<readonly AuditEntry[]> => {
  const call = await begin(table, tenant)
  const places = (await queryAll(call, { pk: logDecisionPartition(tenant, decisionId) })).map(readLookUpItem)
  const items = await Promise.all(places.map(({ sequence }) => getItem(call, logEntryKey(tenant, sequence))))
  return items.map((item) => {
    if (item === null) throw new Error('the log names an entry it does not have')
    return readEntryItem(item)
  })
}

const decisionOf = (entries: readonly AuditEntry[]): StoredDecision | null => {
  let found: StoredDecision | null = null
  for (const entry of entries) {
    if (entry.kind === 'grant') found = { kind: 'allow', record: entry.record, notIssued: null }
    if (entry.kind === 'denial') found = { kind: 'deny', denial: entry.denial }
    if (entry.kind === 'roll_up') {
      const { tenant, minute, kind, source, count } = entry.rollUp
      found ??= { kind: 'rolled_up', rollUp: { tenant, minute, kind, source, count } }
    }
  }
  const outcome = entries.find((entry) => entry.kind === 'not_issued')
  return found?.kind === 'allow' && outcome?.kind === 'not_issued' ? { ...found, notIssued: outcome.outcome } : found
}
