// Erasure of a removed tenant on AWS: its keys first, under which its tokens and its feed were made, then what its log says. That the log
// is told of each key that goes brings it events once more: they go with a later run. Documents, orders and revocations stay, and
// records until their time.
import type { TenantConfigStore, TenantEraser } from '../../ports/tenants.ts'
import type { LogList } from './dynamo-log-list.ts'
import { begin, getItem, queryAll, queryPage, removeItem, type Table, textOf } from './dynamo-request.ts'
import { forgetDeadLetters, forgetEvents } from './forgotten-events.ts'
import {
  feedSecretKey,
  logHeadKey,
  logPartition,
  type RowKey,
  signingKeyPartition,
  sinkErrandPartition,
} from './table-keys.ts'

type Options = {
  readonly core: Table
  readonly log: Table
  readonly list: Pick<LogList, 'settled'>
  readonly configs: Pick<TenantConfigStore, 'latest' | 'list'>
}

/** A size that no log grows to: with its keys gone a log is never signed again, and that is no work that waits. */
const FOR_GOOD = Number.MAX_SAFE_INTEGER

export const createTenantEraser = ({ core, log, list, configs }: Options): TenantEraser => {
  const isAny = async (table: Table, tenant: string, pk: string): Promise<boolean> =>
    (await queryPage(await begin(table, tenant), { pk, limit: 1 })).length > 0
  /** No mark says that a tenant is erased: what comes to its log later, from a stream that was held up, must go as well. */
  const isLeft = async (tenant: string): Promise<boolean> =>
    (await isAny(core, tenant, signingKeyPartition(tenant))) ||
    (await getItem(await begin(core, tenant), feedSecretKey(tenant))) !== null ||
    (await isAny(log, tenant, logPartition(tenant)))

  const removeAll = async (table: Table, tenant: string, pk: string): Promise<void> => {
    const call = await begin(table, tenant)
    for (const row of await queryAll(call, { pk })) await removeItem(call, rowKeyOf(row))
  }

  return {
    async due(removedBeforeSeconds) {
      const left: string[] = []
      for (const { tenant, tombstonedAtSeconds } of await configs.list())
        if (tombstonedAtSeconds !== null && tombstonedAtSeconds < removedBeforeSeconds && (await isLeft(tenant)))
          left.push(tenant)
      return left
    },
    async erase(tenant) {
      if ((await configs.latest(tenant))?.tombstonedAtSeconds == null)
        throw new Error('only a removed tenant is erased')
      if ((await getItem(await begin(log, tenant), logHeadKey(tenant))) !== null) await list.settled(tenant, FOR_GOOD)
      await removeAll(core, tenant, signingKeyPartition(tenant))
      await removeItem(await begin(core, tenant), feedSecretKey(tenant))
      await removeAll(log, tenant, sinkErrandPartition(tenant))
      await forgetDeadLetters(log, tenant, () => true)
      return (await forgetEvents(log, tenant, Number.POSITIVE_INFINITY)).isAll
    },
  }
}

const rowKeyOf = (row: Parameters<typeof textOf>[0]): RowKey => ({ pk: textOf(row, 'pk'), sk: textOf(row, 'sk') })
