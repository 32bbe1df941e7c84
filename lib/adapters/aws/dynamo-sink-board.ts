// Sinks of a tenant on DynamoDB as its operators see them: a row of each, the log it reads, and its dead letters, counted.
import type { OcsfEvent } from '../../domain/ocsf/event.ts'
import type { DeadLetterReason, SinkStatus } from '../../domain/sink.ts'
import type { SinkBoard } from '../../ports/sinks.ts'
import type { LogLeaves, PublishedLog } from '../../ports/tenant-log.ts'
import { begin, type Call, getItem, queryAll, type Table, textOf } from './dynamo-request.ts'
import { readSinkItem } from './dynamo-sink-cursors.ts'
import { deadLetterPartition, sinkKey } from './table-keys.ts'

type Log = Pick<PublishedLog, 'about'> & Pick<LogLeaves, 'leaves'>

export const createSinkBoard = (table: Table, log: Log): SinkBoard => ({
  async status(tenant, sinks, nowSeconds) {
    const size = (await log.about(tenant))?.size ?? 0
    const statusOf = async ({ name, type }: { name: string; type: string }): Promise<SinkStatus> => {
      const call = await begin(table, tenant)
      const { leaf, ...state } = readSinkItem(await getItem(call, sinkKey(tenant, name)))
      const [first] = leaf < size ? await log.leaves(tenant, leaf, 1) : []
      return {
        name,
        type,
        ...state,
        backlogLeaves: Math.max(0, size - leaf),
        lagSeconds: first === undefined ? 0 : Math.max(0, nowSeconds - secondsOf(first.canonical)),
        deadLetters: await countLetters(call, tenant, name),
      }
    }
    return Promise.all(sinks.map(statusOf))
  },
})

const secondsOf = (canonical: string): number => Math.floor((JSON.parse(canonical) as OcsfEvent).time / 1000)

const countLetters = async (call: Call, tenant: string, sink: string): Promise<SinkStatus['deadLetters']> => {
  const rows = await queryAll(call, { pk: deadLetterPartition(tenant, sink), only: ['reason'] })
  const byReason = Map.groupBy(rows, (row) => textOf(row, 'reason') as DeadLetterReason)
  return Object.fromEntries([...byReason].map(([reason, { length }]) => [reason, length]))
}
