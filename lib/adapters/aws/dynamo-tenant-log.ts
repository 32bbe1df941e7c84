// Tenants' logs in DynamoDB. One transaction appends: the head moves from the size that was read to the new one (compare-and-set),
// with it come the leaves, where each event is found, and what the tree has above them. Of two writers one wins, and the other
// has written nothing. A log is no decision's: it may live in a table that takes transactions.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { leafHash, type Sha256 } from '../../domain/tlog/merkle.ts'
import { type Edge, edgeOf, TILE_WIDTH } from '../../domain/tlog/tiles.ts'
import type { Growth, LogHead, LogStore, SignedCheckpoint } from '../../ports/tenant-log.ts'
import { createLogList } from './dynamo-log-list.ts'
import {
  commitmentItems,
  eventsItems,
  headItem,
  LOG_ROOM,
  readCommitments,
  readHeadItem,
  uidItem,
} from './dynamo-log-rows.ts'
import { readCheckpoint, readCommitmentRows } from './dynamo-public-log.ts'
import {
  begin,
  type Call,
  getItem,
  getItems,
  type Item,
  isMarked,
  keyOf,
  nameOf,
  newMark,
  type Table,
  unavailable,
  writeIf,
} from './dynamo-request.ts'
import { logCheckpointKey, logHeadKey, logMinuteKey, logTileKey, logUidKey, type RowKey } from './table-keys.ts'

const BATCH = 100
/** Others append to the same log: one of them wins each round, the rest come back one by one. */
const LOST_WAIT_MS = 100

export const createTenantLog = (table: Table, sha256: Sha256): LogStore => {
  const list = createLogList(table)
  /** Heads as this process moved them: most appends follow one of its own. Good while the head in the table has its mark. */
  const moved = new Map<string, { readonly mark: string; readonly head: LogHead }>()

  return {
    room: LOG_ROOM,
    async head(tenant) {
      const call = await begin(table, tenant)
      const row = await getItem(call, logHeadKey(tenant))
      if (row === null) return null
      const { size, ...rest } = readHeadItem(row)
      const known = moved.get(tenant)
      if (known !== undefined && isMarked(row, known.mark)) return known.head
      return { ...rest, edge: await readEdge(call, tenant, size, sha256) }
    },
    async known(tenant, uids) {
      const call = await begin(table, tenant)
      const found = new Set<string>()
      for (let at = 0; at < uids.length; at += BATCH) {
        const some = uids.slice(at, at + BATCH)
        const rows = await getItems(
          call,
          some.map((uid) => logUidKey(tenant, uid)),
        )
        for (const uid of some) if (rows.has(nameOf(logUidKey(tenant, uid)))) found.add(uid)
      }
      return found
    },
    async commit(tenant, expectedSize, growth) {
      await list.growing(tenant, growth.head.edge.size)
      const mark = newMark()
      const items = itemsOf(table.name, tenant, growth, { expectedSize, mark })
      if (!(await transact(await begin(table, tenant), tenant, items, mark))) {
        await sleep(Math.random() * LOST_WAIT_MS)
        return false
      }
      moved.delete(tenant)
      moved.set(tenant, { mark, head: growth.head })
      if (moved.size > MOVED_MAX) moved.delete(moved.keys().next().value as string)
      return true
    },
    async putCheckpoint(tenant, checkpoint, atSeconds) {
      const call = await begin(table, tenant)
      if (!(await raiseCheckpoint(call, logCheckpointKey(tenant), checkpoint))) return
      await raiseCheckpoint(call, logMinuteKey(tenant, Math.floor(atSeconds / 60)), checkpoint)
    },
    async uncovered() {
      const due = await list.due()
      const isUncovered = await Promise.all(
        due.map(async (tenant) => {
          const call = await begin(table, tenant)
          const [head, checkpoint] = await Promise.all([
            getItem(call, logHeadKey(tenant)),
            readCheckpoint(call, tenant),
          ])
          return head !== null && readHeadItem(head).size > (checkpoint?.size ?? 0)
        }),
      )
      return due.filter((_, at) => isUncovered[at])
    },
  }
}

const MOVED_MAX = 200
const NOTHING = new Uint8Array(0)

const readEdge = async (call: Call, tenant: string, size: number, sha256: Sha256): Promise<Edge> => {
  const partial = await partialLeaves(call, tenant, size, sha256)
  const rows = await getItems(
    call,
    tilesAbove(size).map(({ level, index }) => logTileKey(tenant, level, index)),
  )
  return edgeOf(size, ({ level, index }) =>
    level === 0 ? partial : (rows.get(nameOf(logTileKey(tenant, Number(level), index)))?.['b']?.B ?? NOTHING),
  )
}

/** Hashes of the leaves behind the last full tile. */
const partialLeaves = async (call: Call, tenant: string, size: number, sha256: Sha256): Promise<Uint8Array> => {
  const width = size % TILE_WIDTH
  if (width === 0) return NOTHING
  const first = size - width
  const commitments = readCommitments(await readCommitmentRows(call, tenant, first), first, width)
  if (commitments === null) throw new Error('a log has fewer commitments than its head says')
  return Buffer.concat(commitments.map((commitment) => leafHash(sha256, commitment)))
}

/** Tiles above the leaves that are not full. */
const tilesAbove = (size: number): readonly { readonly level: number; readonly index: number }[] => {
  const names: { level: number; index: number }[] = []
  for (let level = 1, count = Math.floor(size / TILE_WIDTH); count > 0; level += 1) {
    if (count % TILE_WIDTH !== 0) names.push({ level, index: Math.floor(count / TILE_WIDTH) })
    count = Math.floor(count / TILE_WIDTH)
  }
  return names
}

/** The mark says whose the head is: two that bring the same events write the same end, under salts of their own. */
const transact = async (call: Call, tenant: string, items: TransactWriteItem[], mark: string): Promise<boolean> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await call.client.send(new TransactWriteItemsCommand({ TransactItems: items }), { abortSignal: call.signal })
      return true
    } catch (error) {
      // Applied all the same, where it was the answer that was lost.
      const row = await getItem(call, logHeadKey(tenant))
      if (row !== null && isMarked(row, mark)) return true
      if (isLost(error)) return false
      if (attempt > 0) throw unavailable(error)
    }
  }
}

/** Somebody was first, or is writing now. */
const isLost = (error: unknown): boolean =>
  error instanceof TransactionCanceledException &&
  (error.CancellationReasons ?? []).some(
    ({ Code }) => Code === 'ConditionalCheckFailed' || Code === 'TransactionConflict',
  )

const itemsOf = (
  table: string,
  tenant: string,
  { head, leaves, tiles }: Growth,
  { expectedSize, mark }: { readonly expectedSize: number; readonly mark: string },
): TransactWriteItem[] => {
  if (leaves.length > LOG_ROOM.leaves) throw new RangeError('more leaves than a transaction has room for')
  const put = (Item: Item, condition: Partial<NonNullable<TransactWriteItem['Put']>> = IF_NEW): TransactWriteItem => ({
    Put: { TableName: table, Item, ...condition },
  })
  const from = expectedSize === 0 ? IF_NEW : isAt(expectedSize)
  return [
    put({ ...headItem(tenant, head), w: { S: mark } }, from),
    ...eventsItems(tenant, expectedSize, leaves).map((item) => put(item)),
    ...commitmentItems(tenant, expectedSize, leaves).map((item) => put(item)),
    ...leaves.map(({ uid }, at) => put(uidItem(tenant, uid, expectedSize + at))),
    ...tiles
      .filter(({ level }) => level > 0)
      .map(({ level, index, bytes }) => put({ ...keyOf(logTileKey(tenant, level, index)), b: { B: bytes } }, {})),
  ]
}

const IF_NEW = { ConditionExpression: 'attribute_not_exists(pk)' } as const
const isAt = (size: number) => ({
  ConditionExpression: 'n = :size',
  ExpressionAttributeValues: { ':size': { N: String(size) } },
})

/** False: there is one as large, or larger. */
const raiseCheckpoint = async (call: Call, key: RowKey, { size, note }: SignedCheckpoint): Promise<boolean> => {
  const mark = newMark()
  const put = {
    Item: { ...keyOf(key), size: { N: String(size) }, note: { S: note }, w: { S: mark } },
    ConditionExpression: 'attribute_not_exists(pk) OR #size < :size',
    ExpressionAttributeNames: { '#size': 'size' },
    ExpressionAttributeValues: { ':size': { N: String(size) } },
  }
  return (await writeIf(call, { put }, { key, mark })).applied
}
