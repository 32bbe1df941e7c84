// The audit log in DynamoDB. One transaction appends: the head moves from the number of entries that was read to the new one
// (compare-and-set, so numbers have no gaps and no two writers take the same), each entry is put under its number, and each
// of its ids under a condition that it is new, which is what makes a repeat harmless. The log is no decision's: it may live
// in a table that takes transactions.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CancellationReason,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { type AuditEntry, nameOfEntry } from '../../domain/audit-entry.ts'
import { LIMITS } from '../../domain/limits.ts'
import { utf8Length } from '../../domain/utf8.ts'
import type { AuditLog } from '../../ports/audit-log.ts'
import { entryItem, lookUpItems } from './dynamo-log-rows.ts'
import { begin, type Call, getItem, keyOf, numberOf, type Table, unavailable } from './dynamo-request.ts'
import { logHeadKey } from './table-keys.ts'

/** What a transaction takes: 100 items, 4 MiB. One is the head; bytes are those of the entries, which their items exceed a little. */
const ITEMS_MAX = 99
const BYTES_MAX = 2 * 1024 * 1024

export const createAuditLog = (table: Table): AuditLog => ({
  async append(tenant, entries) {
    for (const some of chunksOf(withoutRepeats(entries))) await appendChunk(table, tenant, some)
  },
})

/** A transaction takes a row once. */
const withoutRepeats = (entries: readonly AuditEntry[]): readonly AuditEntry[] => [
  ...new Map(entries.map((entry) => [`${entry.kind} ${nameOfEntry(entry).id}`, entry])).values(),
]

const chunksOf = (entries: readonly AuditEntry[]): AuditEntry[][] => {
  const chunks: AuditEntry[][] = []
  let items = Number.POSITIVE_INFINITY
  let bytes = 0
  for (const entry of entries) {
    const more = 1 + lookUpItems(entry, 0).length
    const size = utf8Length(JSON.stringify(entry))
    if (items + more > ITEMS_MAX || bytes + size > BYTES_MAX) {
      chunks.push([])
      items = 0
      bytes = 0
    }
    items += more
    bytes += size
    chunks.at(-1)!.push(entry)
  }
  return chunks
}

const appendChunk = async (table: Table, tenant: string, entries: readonly AuditEntry[]): Promise<void> => {
  let fresh = entries
  let failure: unknown
  for (let attempt = 0; attempt < LIMITS.logAppendTriesMax && fresh.length > 0; attempt += 1) {
    // Others append to the same log: one of them wins each round, the rest come back one by one.
    if (attempt > 0) await sleep(Math.random() * Math.min(2 ** attempt * 5, 200))
    const call = await begin(table, tenant)
    const size = numberOf((await getItem(call, logHeadKey(tenant))) ?? {}, 'n') ?? 0
    const rows = fresh.map((entry, at) => ({ entry, items: itemsOf(call, entry, size + at) }))
    try {
      await transact(call, [headItem(call, tenant, size, size + fresh.length), ...rows.flatMap(({ items }) => items)])
      return
    } catch (error) {
      failure = error
      // Applied or not, nobody knows: the next round finds its ids there, or not.
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : []
      fresh = unknownOf(rows, reasons.slice(1))
    }
  }
  if (fresh.length > 0) throw unavailable(failure)
}

const IF_NEW = 'attribute_not_exists(pk)'

const headItem = ({ table }: Call, tenant: string, from: number, to: number): TransactWriteItem => ({
  Update: {
    TableName: table.name,
    Key: keyOf(logHeadKey(tenant)),
    UpdateExpression: 'SET n = :to',
    ConditionExpression: from === 0 ? IF_NEW : 'n = :from',
    ExpressionAttributeValues: { ':to': { N: String(to) }, ...(from === 0 ? {} : { ':from': { N: String(from) } }) },
  },
})

const itemsOf = ({ table }: Call, entry: AuditEntry, sequence: number): readonly TransactWriteItem[] =>
  [entryItem(entry, sequence), ...lookUpItems(entry, sequence)].map((Item) => ({
    Put: { TableName: table.name, Item, ConditionExpression: IF_NEW },
  }))

const transact = async ({ client, signal }: Call, items: TransactWriteItem[]): Promise<void> => {
  await client.send(new TransactWriteItemsCommand({ TransactItems: items }), { abortSignal: signal })
}

type Row = { readonly entry: AuditEntry; readonly items: readonly TransactWriteItem[] }

/** Those whose first id (their own, behind the entry's row) was not found to be there already. */
const unknownOf = (rows: readonly Row[], reasons: readonly CancellationReason[]): readonly AuditEntry[] => {
  let at = 0
  return rows.flatMap(({ entry, items }) => {
    const own = reasons[at + 1]
    at += items.length
    return own?.Code === 'ConditionalCheckFailed' ? [] : [entry]
  })
}
