// Counts what a client asks of DynamoDB, in requests and in the units DynamoDB itself says they cost: what an exchange costs.
import type { BatchGetItemCommandOutput, ConsumedCapacity, DynamoDBClient } from '@aws-sdk/client-dynamodb'

export type Counts = {
  /** By command, such as PutItem. */
  readonly requests: Readonly<Record<string, number>>
  /** Write units of 1 KB. */
  readonly writeUnits: number
  /** Read units of 4 KB, strong: an eventual read counts as half of one. */
  readonly readUnits: number
}

export type Counter = {
  /** Since the last call. */
  readonly take: () => Counts
}

const READS: ReadonlySet<string> = new Set(['GetItem', 'BatchGetItem', 'Query', 'TransactGetItems'])

/** AWS bills a row that is not there as one unit of a strong read; DynamoDB Local gives it away in batches. */
const missingOf = (command: string, input: object, output: object): number => {
  if (command !== 'BatchGetItem') return 0
  const { RequestItems } = input as { readonly RequestItems: Record<string, { readonly Keys: readonly unknown[] }> }
  const { Responses } = output as BatchGetItemCommandOutput
  return Object.entries(RequestItems).reduce(
    (sum, [table, { Keys }]) => sum + Keys.length - (Responses?.[table]?.length ?? 0),
    0,
  )
}

export const countRequests = (client: DynamoDBClient): Counter => {
  let counts = { requests: {} as Record<string, number>, writeUnits: 0, readUnits: 0 }
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const command = String(context.commandName).replace(/Command$/, '')
      counts.requests[command] = (counts.requests[command] ?? 0) + 1
      const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } })
      const { ConsumedCapacity } = result.output as {
        readonly ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[]
      }
      const units = [ConsumedCapacity ?? []].flat().reduce((sum, { CapacityUnits }) => sum + (CapacityUnits ?? 0), 0)
      if (READS.has(command)) counts.readUnits += Math.max(1, units + missingOf(command, args.input, result.output))
      else counts.writeUnits += units
      return result
    },
    { step: 'initialize', name: 'countRequests' },
  )
  return {
    take() {
      const taken = counts
      counts = { requests: {}, writeUnits: 0, readUnits: 0 }
      return taken
    },
  }
}
