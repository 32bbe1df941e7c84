// Events and salts of tenants' logs, for whoever may see them: operators of the tenant, and what delivers to its sinks.
import type { LogLeaves, PublishedLog, StoredLeaf } from '../../ports/tenant-log.ts'
import { readEventsItem, readHeadItem, readUidItem } from './dynamo-log-rows.ts'
import { checkpointOf } from './dynamo-public-log.ts'
import { begin, type Call, getItem, type Item, queryAll, queryPage, type Table, textOf } from './dynamo-request.ts'
import {
  LOG_EVENTS,
  LOG_MINUTES,
  logCheckpointPartition,
  logEventsKey,
  logHeadKey,
  logPartition,
  logUidKey,
} from './table-keys.ts'

/** Rows a request; each has one leaf or many. */
const PAGE = 32

export const createLogLeaves = (table: Table): LogLeaves & Pick<PublishedLog, 'about'> => ({
  async about(tenant) {
    const row = await getItem(await begin(table, tenant), logHeadKey(tenant))
    if (row === null) return null
    const { origin, size } = readHeadItem(row)
    return { origin, size }
  },
  leaves: async (tenant, fromIndex, limit) => readLeaves(await begin(table, tenant), tenant, fromIndex, limit),
  async leafOf(tenant, uid) {
    const call = await begin(table, tenant)
    const row = await getItem(call, logUidKey(tenant, uid))
    if (row === null) return null
    const index = readUidItem(row)
    const leaf = (await readLeaves(call, tenant, index, 1))[0]
    return leaf?.index === index ? leaf : null
  },
  async history(tenant) {
    const rows = await queryAll(await begin(table, tenant), {
      pk: logCheckpointPartition(tenant),
      prefix: LOG_MINUTES,
    })
    return rows.map(checkpointOf)
  },
})

const readLeaves = async (
  call: Call,
  tenant: string,
  fromIndex: number,
  limit: number,
): Promise<readonly StoredLeaf[]> => {
  const pk = logPartition(tenant)
  const found: StoredLeaf[] = []
  const take = (rows: readonly Item[]): void => {
    for (const leaf of rows.flatMap(readEventsItem))
      if (leaf.index >= fromIndex && found.length < limit) found.push(leaf)
  }
  // The row that the index lies in begins at it or before.
  const before = { pk, beyond: logEventsKey(tenant, fromIndex + 1).sk, isNewestFirst: true, limit: 1 }
  const [first] = await queryPage(call, before)
  let last = first === undefined ? '' : textOf(first, 'sk')
  if (first !== undefined && last.startsWith(LOG_EVENTS)) take([first])
  else last = LOG_EVENTS
  while (found.length < limit) {
    const rows = await queryPage(call, { pk, beyond: last, limit: Math.min(PAGE, limit - found.length) })
    if (rows.length === 0) break
    take(rows)
    last = textOf(rows.at(-1)!, 'sk')
  }
  return found
}
