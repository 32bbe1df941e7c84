// Requests to DynamoDB with one behaviour: strong reads, bounded in time, all of the answer or Unavailable. A failure of the
// SDK is never taken for an answer; the outcome of a conditional write that was lost on the way is read back.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import { LIMITS } from '../../domain/limits.ts'
import { Unavailable } from '../../domain/unavailable.ts'
import type { RowKey } from './table-keys.ts'

export type Item = Record<string, AttributeValue>

/** A table and who may ask it. */
export type Table = {
  readonly name: string
  /** The client whose credentials reach this tenant's rows and no other's; null: rows that are no tenant's. */
  readonly clientOf: (tenant: string | null) => DynamoDBClient | Promise<DynamoDBClient>
  /** All requests of one call of a port share this much time. */
  readonly waitMs: number
}

/** A table read and written with a function's own credentials, whatever the tenant (attest, trust, revoke). */
export const tableOf = (name: string, client: DynamoDBClient, waitMs: number = LIMITS.storeWaitMs): Table => ({
  name,
  clientOf: () => client,
  waitMs,
})

/** The same table for work that nobody waits for: a transaction of a hundred rows, or a page of large events, may take its time. */
export const unhurried = (table: Table): Table => ({ ...table, waitMs: LIMITS.logWaitMs })

export type ClientOptions = Pick<DynamoDBClientConfig, 'region' | 'endpoint' | 'credentials'> & {
  /** Tries of one request, the first among them: 2 where somebody waits, more for consumers of queues. */
  readonly maxAttempts: number
  /** Of one attempt, from the first byte out to the last byte in. */
  readonly requestMs?: number
  /** Connections of another client to go on with: a tenant's session has credentials of its own, not sockets. */
  readonly requestHandler?: DynamoDBClient['config']['requestHandler']
}

/** Every attempt has a deadline, or one hanging connection would cost a request all of its time. */
export const createDynamoClient = ({ requestMs, requestHandler, ...options }: ClientOptions): DynamoDBClient =>
  new DynamoDBClient({
    ...options,
    requestHandler: requestHandler ?? {
      connectionTimeout: LIMITS.dynamoConnectMs,
      requestTimeout: requestMs ?? LIMITS.dynamoRequestMs,
      throwOnRequestTimeout: true,
    },
  })

export const unavailable = (cause: unknown): Unavailable =>
  cause instanceof Unavailable ? cause : new Unavailable('store_unavailable', undefined, { cause })

/** One call of a port: the requests it takes share this much time. */
export type Call = { readonly table: Table; readonly client: DynamoDBClient; readonly signal: AbortSignal }

export const begin = async (table: Table, tenant: string | null): Promise<Call> => {
  const signal = AbortSignal.timeout(table.waitMs)
  try {
    return { table, client: await table.clientOf(tenant), signal }
  } catch (error) {
    throw unavailable(error)
  }
}

export const keyOf = ({ pk, sk }: RowKey): Item => ({ pk: { S: pk }, sk: { S: sk } })

const send = async <T>(request: Promise<T>): Promise<T> => {
  try {
    return await request
  } catch (error) {
    throw unavailable(error)
  }
}

/** Strong read of one row; null: there is none. */
export const getItem = async ({ table, client, signal }: Call, key: RowKey): Promise<Item | null> => {
  const command = new GetItemCommand({ TableName: table.name, Key: keyOf(key), ConsistentRead: true })
  return (await send(client.send(command, { abortSignal: signal }))).Item ?? null
}

/** Strong read of up to 100 rows, every one of them: by partition and sort key, as nameOf() joins them. */
export const getItems = async (call: Call, keys: readonly RowKey[]): Promise<ReadonlyMap<string, Item>> => {
  const { table, client, signal } = call
  const found = new Map<string, Item>()
  // By name, because DynamoDB refuses a list that names a row twice.
  let asked: Item[] = [...new Map(keys.map((key) => [nameOf(key), keyOf(key)])).values()]
  for (let round = 0; asked.length > 0; round += 1) {
    // Unprocessed keys are a throttle: the rest is asked for again, a little later each time, until the call's time is up.
    if (round > 0) await send(sleep(2 ** round * 10 * (0.5 + Math.random() / 2), undefined, { signal }))
    const command = new BatchGetItemCommand({
      RequestItems: { [table.name]: { Keys: asked, ConsistentRead: true } },
    })
    const { Responses, UnprocessedKeys } = await send(client.send(command, { abortSignal: signal }))
    for (const item of Responses?.[table.name] ?? [])
      found.set(nameOf({ pk: item['pk']!.S!, sk: item['sk']!.S! }), item)
    asked = UnprocessedKeys?.[table.name]?.Keys ?? []
  }
  return found
}

export const nameOf = ({ pk, sk }: RowKey): string => `${pk} ${sk}`

type Rows = {
  readonly pk: string
  readonly prefix?: string
  /** First and last sort key; instead of a prefix. */
  readonly between?: readonly [first: string, last: string]
  readonly stopAfter?: number
  /** The attributes that are wanted; and IAM may know that no other is asked for. */
  readonly only?: readonly string[]
}

/** Strong read of a partition in the order of its sort keys. Whole, or, with `stopAfter`, once it has read more rows than that. */
export const queryAll = async ({ table, client, signal }: Call, rows: Rows): Promise<readonly Item[]> => {
  const { stopAfter, only } = rows
  const items: Item[] = []
  let from: Item | undefined
  do {
    const command = new QueryCommand({
      TableName: table.name,
      ...conditionOf(rows),
      ...(only === undefined ? {} : projectionOf(only)),
      ConsistentRead: true,
      ExclusiveStartKey: from,
    })
    const page = await send(client.send(command, { abortSignal: signal }))
    items.push(...(page.Items ?? []))
    from = page.LastEvaluatedKey
  } while (from !== undefined && items.length <= (stopAfter ?? Number.POSITIVE_INFINITY))
  return items
}

const projectionOf = (only: readonly string[]) => ({
  Select: 'SPECIFIC_ATTRIBUTES' as const,
  ProjectionExpression: only.map((name) => `#${name}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(only.map((name) => [`#${name}`, name])),
})

const conditionOf = ({ pk, prefix, between }: Rows) => {
  const [first, last] = between ?? []
  const values: [string, string | undefined][] = [
    [':pk', pk],
    [':prefix', prefix],
    [':first', first],
    [':last', last],
  ]
  return {
    KeyConditionExpression:
      between !== undefined
        ? 'pk = :pk AND sk BETWEEN :first AND :last'
        : prefix !== undefined
          ? 'pk = :pk AND begins_with(sk, :prefix)'
          : 'pk = :pk',
    ExpressionAttributeValues: Object.fromEntries(
      values.flatMap(([name, S]) => (S === undefined ? [] : [[name, { S }]])),
    ),
  }
}

type Page = {
  readonly pk: string
  /** Only rows whose sort key is beyond this one: above it, or below it where the newest come first. */
  readonly beyond?: string
  readonly isNewestFirst?: boolean
  readonly limit: number
}

/** Strong read of up to `limit` neighbouring rows of a partition. Fewer: there are no more. */
export const queryPage = async ({ table, client, signal }: Call, page: Page): Promise<readonly Item[]> => {
  const { pk, beyond, isNewestFirst = false, limit } = page
  const items: Item[] = []
  let from: Item | undefined
  do {
    const command = new QueryCommand({
      TableName: table.name,
      KeyConditionExpression:
        beyond === undefined ? 'pk = :pk' : `pk = :pk AND sk ${isNewestFirst ? '<' : '>'} :beyond`,
      ExpressionAttributeValues: { ':pk': { S: pk }, ...(beyond === undefined ? {} : { ':beyond': { S: beyond } }) },
      ConsistentRead: true,
      ScanIndexForward: !isNewestFirst,
      Limit: limit - items.length,
      ExclusiveStartKey: from,
    })
    const answer = await send(client.send(command, { abortSignal: signal }))
    items.push(...(answer.Items ?? []))
    from = answer.LastEvaluatedKey
  } while (from !== undefined && items.length < limit)
  return items
}

type Write =
  | { readonly put: Omit<PutItemCommandInput, 'TableName'> }
  | { readonly update: Omit<UpdateItemCommandInput, 'TableName'> }

const commandOf = (name: string, write: Write): PutItemCommand | UpdateItemCommand => {
  const common = { TableName: name, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const
  return 'put' in write
    ? new PutItemCommand({ ...common, ...write.put })
    : new UpdateItemCommand({ ReturnValues: 'ALL_NEW', ...common, ...write.update })
}

const sendWrite = ({ client, signal }: Call, command: PutItemCommand | UpdateItemCommand) =>
  // One overload at a time: the SDK has one signature a command.
  command instanceof PutItemCommand
    ? client.send(command, { abortSignal: signal })
    : client.send(command, { abortSignal: signal })

/** A write that may be repeated without harm: the row after it (updates only). */
export const write = async (call: Call, request: Write): Promise<Item | undefined> =>
  (await send(sendWrite(call, commandOf(call.table.name, request)))).Attributes

/** Of such a write that failed: because of its own condition. Its repeat may meet what it wrote itself. */
export const isConditionFailure = (error: unknown): boolean =>
  error instanceof Unavailable && error.cause instanceof ConditionalCheckFailedException

/** Removes a row, if there is one. */
export const removeItem = async ({ table, client, signal }: Call, key: RowKey): Promise<void> => {
  await send(client.send(new DeleteItemCommand({ TableName: table.name, Key: keyOf(key) }), { abortSignal: signal }))
}

export type Written =
  | { readonly applied: true }
  /** The row that was there instead; null: the condition asked for a row and there is none. */
  | { readonly applied: false; readonly existing: Item | null }

const APPLIED: Written = { applied: true }

/** The owner's mark: random, of one write. Not the decision id: a request that is delivered twice has that twice. */
export const newMark = (): string => randomBytes(9).toString('base64url')

/** Whether the write with this mark left the row. */
export const isMarked = (row: Item, mark: string): boolean => row['w']?.S === mark

/**
 * A write under a condition, that leaves `mark` in the row (attribute `w`). The SDK's own repeat of a request whose answer was
 * lost meets that mark, and so does the read after an unknown outcome. Throws Unavailable when it cannot be told whether
 * the write was applied.
 */
export const writeIf = async (
  call: Call,
  request: Write,
  { key, mark }: { readonly key: RowKey; readonly mark: string },
): Promise<Written> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await sendWrite(call, commandOf(call.table.name, request))
      return APPLIED
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) {
        const existing = error.Item ?? null
        return existing !== null && isMarked(existing, mark) ? APPLIED : { applied: false, existing }
      }
      // Applied or not, nobody knows: ask the row. If it is not ours, one more try is safe, because the condition still stands.
      const row = await getItem(call, key)
      if (row !== null && isMarked(row, mark)) return APPLIED
      if (attempt > 0) throw unavailable(error)
    }
  }
}

/** A string attribute that must be there. */
export const textOf = (item: Item, name: string): string => {
  const text = item[name]?.S
  if (text === undefined) throw new Error(`a stored row has no text ${name}`)
  return text
}

/** A number attribute; null: there is none. */
export const numberOf = (item: Item, name: string): number | null => {
  const text = item[name]?.N
  return text === undefined ? null : Number(text)
}

/** A number as an attribute; nothing where there is none. */
export const optionalNumber = (name: string, value: number | null): Item =>
  value === null ? {} : { [name]: { N: String(value) } }
