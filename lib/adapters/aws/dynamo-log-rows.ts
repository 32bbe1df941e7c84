// How a tenant's log looks in DynamoDB: an entry a row, in the order of their numbers; for each id an entry is found by, a row
// that names its number. What was altered or written by a later format is an error, never a guess.
import { type AuditEntry, type AuditEntryKind, lookUpIdsOf, nameOfEntry } from '../../domain/audit-entry.ts'
import { type Item, keyOf, numberOf, textOf } from './dynamo-request.ts'
import { logDecisionKey, logEntryKey } from './table-keys.ts'

const FORMAT = '1'

export const entryItem = (entry: AuditEntry, sequence: number): Item => {
  const { tenant, id } = nameOfEntry(entry)
  return {
    ...keyOf(logEntryKey(tenant, sequence)),
    v: { N: FORMAT },
    kind: { S: entry.kind },
    id: { S: id },
    body: { S: JSON.stringify(entry) },
  }
}

export const readEntryItem = (item: Item): AuditEntry => {
  if (item['v']?.N !== FORMAT) throw new Error('a stored row has a format this program does not know')
  const entry = JSON.parse(textOf(item, 'body')) as AuditEntry
  if (!textOf(item, 'pk').endsWith(`#${nameOfEntry(entry).tenant}`))
    throw new Error('a stored row names another tenant than its key')
  return entry
}

/** The first is the one the entry is deduplicated by. */
export const lookUpItems = (entry: AuditEntry, sequence: number): readonly Item[] => {
  const { tenant } = nameOfEntry(entry)
  return lookUpIdsOf(entry).map((id) => ({
    ...keyOf(logDecisionKey(tenant, id, entry.kind)),
    v: { N: FORMAT },
    n: { N: String(sequence) },
  }))
}

export const readLookUpItem = (item: Item): { readonly kind: AuditEntryKind; readonly sequence: number } => {
  const sequence = numberOf(item, 'n')
  if (item['v']?.N !== FORMAT || sequence === null)
    throw new Error('a stored row has a format this program does not know')
  return { kind: textOf(item, 'sk') as AuditEntryKind, sequence }
}
