// A tenant's log as it lies in DynamoDB, its numbers checked.
import { readEntryItem } from '../../lib/adapters/aws/dynamo-log-rows.ts'
import { begin, queryAll, type Table } from '../../lib/adapters/aws/dynamo-request.ts'
import { LOG_ENTRY_PREFIX, logEntryKey, logPartition } from '../../lib/adapters/aws/table-keys.ts'
import type { AuditEntry } from '../../lib/domain/audit-entry.ts'

/** In order. Throws where a number is missing. */
export const entriesIn = async (table: Table, tenant: string): Promise<readonly AuditEntry[]> => {
  const call = await begin(table, tenant)
  const items = await queryAll(call, { pk: logPartition(tenant), prefix: LOG_ENTRY_PREFIX })
  items.forEach((item, at) => {
    if (item['sk']?.S !== logEntryKey(tenant, at).sk) throw new Error(`the log of ${tenant} has a gap at ${at}`)
  })
  return items.map(readEntryItem)
}
