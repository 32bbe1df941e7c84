// Expiry of a log's events in DynamoDB: those a checkpoint of long ago covers, from the front. That they have expired is said first, with
// that checkpoint beside it: a log never lacks events that it does not say are gone.
import type { Expired, LogRetention } from '../../ports/tenant-log.ts'
import { checkpointOf } from './dynamo-public-log.ts'
import {
  begin,
  getItem,
  getItems,
  keyOf,
  nameOf,
  newMark,
  numberOf,
  queryPage,
  type Table,
  textOf,
  writeIf,
} from './dynamo-request.ts'
import { readSinkItem } from './dynamo-sink-cursors.ts'
import { forgetDeadLetters, forgetEvents } from './forgotten-events.ts'
import { LOG_MINUTES, logCheckpointPartition, logExpiredKey, logMinuteKey, sinkKey } from './table-keys.ts'

/** Checkpoints a request. */
const PAGE = 256

export const createLogRetention = (table: Table): LogRetention => {
  const expired = createExpired(table)
  return {
    expired,
    async expire(tenant, beforeSeconds, sinks) {
      const was = await expired(tenant)
      const now = await lastCovering(table, tenant, {
        was,
        beforeSeconds,
        given: await givenToAll(table, tenant, sinks),
      })
      if (now !== null && now !== was) await move(table, tenant, now)
      const leaves = now?.leaves ?? 0
      const { events } = await forgetEvents(table, tenant, leaves)
      await forgetDeadLetters(table, tenant, ({ leaf, atSeconds }) =>
        leaf === null ? atSeconds < beforeSeconds : leaf < leaves,
      )
      return events
    },
  }
}

export const createExpired =
  (table: Table): LogRetention['expired'] =>
  async (tenant) => {
    const row = await getItem(await begin(table, tenant), logExpiredKey(tenant))
    return row === null
      ? null
      : { leaves: numberOf(row, 'n') ?? 0, atSeconds: numberOf(row, 'at') ?? 0, note: textOf(row, 'note') }
  }

/** Leaves that every sink has; one without a row has been given nothing. */
const givenToAll = async (table: Table, tenant: string, sinks: readonly string[]): Promise<number> => {
  const keys = sinks.map((sink) => sinkKey(tenant, sink))
  const rows = await getItems(await begin(table, tenant), keys)
  return Math.min(...keys.map((key) => readSinkItem(rows.get(nameOf(key)) ?? null).leaf))
}

type Bounds = { readonly was: Expired | null; readonly beforeSeconds: number; readonly given: number }

/** Of the checkpoints of long ago the last that covers nothing a sink has still to be given: from the one that was it before. */
const lastCovering = async (
  table: Table,
  tenant: string,
  { was, beforeSeconds, given }: Bounds,
): Promise<Expired | null> => {
  const pk = logCheckpointPartition(tenant)
  const before = logMinuteKey(tenant, Math.floor(beforeSeconds / 60)).sk
  let last = was
  let beyond = was === null ? LOG_MINUTES : logMinuteKey(tenant, Math.floor(was.atSeconds / 60)).sk
  for (;;) {
    const rows = await queryPage(await begin(table, tenant), { pk, beyond, limit: PAGE })
    for (const row of rows) {
      beyond = textOf(row, 'sk')
      const { size, note } = checkpointOf(row)
      if (beyond >= before || size > given) return last
      last = { leaves: size, atSeconds: Number(beyond.slice(LOG_MINUTES.length)) * 60, note }
    }
    if (rows.length < PAGE) return last
  }
}

/** Never back: two runs at once say what the one that came further found. */
const move = async (table: Table, tenant: string, { leaves, atSeconds, note }: Expired): Promise<void> => {
  const key = logExpiredKey(tenant)
  const mark = newMark()
  const put = {
    Item: {
      ...keyOf(key),
      n: { N: String(leaves) },
      at: { N: String(atSeconds) },
      note: { S: note },
      w: { S: mark },
    },
    ConditionExpression: 'attribute_not_exists(pk) OR n < :n',
    ExpressionAttributeValues: { ':n': { N: String(leaves) } },
  }
  await writeIf(await begin(table, tenant), { put }, { key, mark })
}
