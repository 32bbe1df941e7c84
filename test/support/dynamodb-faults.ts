// Faults of DynamoDB, as middleware on a client's stack: below the SDK's own retries, so that every attempt meets them, and
// above the socket, so that a hang is a real one. A plan names the fault of each attempt.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { AttributeValue, BatchGetItemCommandOutput, DynamoDBClient } from '@aws-sdk/client-dynamodb'

export type Fault =
  /** The store says it has no capacity; nothing was done. */
  | 'throttled'
  /** An answer of 500; nothing was done. */
  | 'broken'
  /** The connection breaks before the request is out; nothing was done. */
  | 'not sent'
  /** The request is done, and its answer is lost: nobody knows. */
  | 'answer lost'
  /** Nobody answers for longer than anybody waits. */
  | 'hangs'
  /** Another transaction is at the same rows. */
  | 'conflict'

export type Attempt = { readonly command: string; readonly input: Record<string, unknown> }
export type Plan = (attempt: Attempt) => Fault | null

const failure = (name: string, statusCode: number, more: object = {}): Error =>
  Object.assign(new Error(name), { name, $fault: 'server', $metadata: { httpStatusCode: statusCode }, ...more })

const BROKEN_CONNECTION = { code: 'ECONNRESET' }

/** Every attempt of `client` goes through `plan` from now on. */
export const addFaults = (client: DynamoDBClient, plan: Plan, blackHole?: BlackHole): void => {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const command = String(context.commandName).replace(/Command$/, '')
      const fault = plan({ command, input: args.input as unknown as Record<string, unknown> })
      switch (fault) {
        case null:
          return next(args)
        case 'throttled':
          throw failure('ThrottlingException', 400, { $fault: 'client', $retryable: { throttling: true } })
        case 'broken':
          throw failure('InternalServerError', 500)
        case 'not sent':
          throw Object.assign(new Error('connect ECONNRESET'), BROKEN_CONNECTION)
        case 'answer lost':
          await next(args).catch(() => undefined)
          throw Object.assign(new Error('socket hang up'), BROKEN_CONNECTION)
        case 'hangs': {
          const request = args.request as { port?: number }
          if (blackHole === undefined) throw new Error('a hang needs a black hole')
          request.port = blackHole.port
          return next(args)
        }
        case 'conflict':
          throw failure('TransactionConflictException', 400, { $fault: 'client' })
      }
    },
    { step: 'finalizeRequest', priority: 'low', name: 'faults', override: true },
  )
}

type Row = Record<string, AttributeValue>

/** Batch reads answer some of what they were asked and name the rest as unprocessed, as often as `isPartial` says. */
export const addPartialBatches = (client: DynamoDBClient, isPartial: () => boolean): void => {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args)
      if (context.commandName !== 'BatchGetItemCommand' || !isPartial()) return result
      const output = result.output as BatchGetItemCommandOutput
      for (const [table, { Keys = [] }] of Object.entries(
        (args.input as { RequestItems: Record<string, { Keys?: Row[] }> }).RequestItems,
      )) {
        const [kept, left] = [Keys.slice(0, Keys.length >> 1), Keys.slice(Keys.length >> 1)]
        const isKept = (row: Row) => kept.some((key) => key['pk']?.S === row['pk']?.S && key['sk']?.S === row['sk']?.S)
        output.Responses = { ...output.Responses, [table]: (output.Responses?.[table] ?? []).filter(isKept) }
        if (left.length > 0) output.UnprocessedKeys = { [table]: { Keys: left, ConsistentRead: true } }
      }
      return result
    },
    { step: 'initialize', name: 'partialBatches' },
  )
}

/** A server that takes connections and never says anything. */
export type BlackHole = { readonly port: number; readonly close: () => void }

export const openBlackHole = async (): Promise<BlackHole> => {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
