// The list of logs: which of them have grown since all of them was signed and anchored, and how far each was compared with what it
// is of. No row of a tenant: who keeps the list reads it in one piece, and nobody scans the table.
import type { ComparedLogs, GrownLogs } from '../../ports/tenant-log.ts'
import type { Item } from './dynamo-request.ts'
import { begin, isConditionFailure, keyOf, numberOf, queryAll, type Table, textOf, write } from './dynamo-request.ts'
import { LOG_LIST_SHARDS, logListKey, logListPartition } from './table-keys.ts'

export type LogList = GrownLogs &
  ComparedLogs & {
    /**
     * INVARIANT: said before a log grows to that size, so that a crash behind the append is found by whoever settles. Lower than
     * before changes nothing.
     */
    readonly growing: (tenant: string, size: number) => Promise<void>
  }

export const createLogList = (table: Table): LogList => {
  const raise = async (tenant: string, attribute: Raised, value: number): Promise<void> => {
    const update = {
      Key: keyOf(logListKey(tenant)),
      UpdateExpression: 'SET #a = :value',
      ConditionExpression: 'attribute_not_exists(#a) OR #a < :value',
      ExpressionAttributeNames: { '#a': attribute },
      ExpressionAttributeValues: { ':value': { N: String(value) } },
      ReturnValues: 'NONE' as const,
      ReturnValuesOnConditionCheckFailure: 'NONE' as const,
    }
    const call = await begin(table, null)
    try {
      await write(call, { update })
    } catch (error) {
      if (!isConditionFailure(error)) throw error
    }
  }
  const rows = async (): Promise<readonly Item[]> => {
    const call = await begin(table, null)
    const shards = Array.from({ length: LOG_LIST_SHARDS }, (_, shard) =>
      queryAll(call, { pk: logListPartition(shard) }),
    )
    return (await Promise.all(shards)).flat()
  }
  return {
    growing: (tenant, size) => raise(tenant, 'grown', size),
    settled: (tenant, size) => raise(tenant, 'settled', size),
    compared: async () =>
      (await rows()).map((row) => ({
        tenant: tenantOf(row),
        nextHour: numberOf(row, 'compared'),
        document: numberOf(row, COMPARED.document) ?? 0,
        revocation: numberOf(row, COMPARED.revocation) ?? 0,
      })),
    comparedUntil: (tenant, nextHour) => raise(tenant, 'compared', nextHour),
    comparedChanges: (tenant, series, number) => raise(tenant, COMPARED[series], number),
    due: async () =>
      (await rows()).filter((row) => (numberOf(row, 'grown') ?? 0) > (numberOf(row, 'settled') ?? 0)).map(tenantOf),
  }
}

const COMPARED = { document: 'documents', revocation: 'revocations' } as const
type Raised = 'grown' | 'settled' | 'compared' | (typeof COMPARED)[keyof typeof COMPARED]

const tenantOf = (row: Item): string => textOf(row, 'sk')
