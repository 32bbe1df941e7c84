// The wrapper of every queue consumer: each message of a batch stands alone. Done is done; what a retry can help is delivered
// again by itself, not with its neighbours; what it cannot help is quarantined with its reason, at once (law L8).
import type { Logger } from '@aws-lambda-powertools/logger'
import type { Alarm } from '../domain/alarm.ts'
import { Unavailable } from '../domain/unavailable.ts'
import { type BatchResponse, type QueueEvent, type QueueRecord, tenantOfGroup } from '../wire/lambda-events.ts'
import { placeOf } from './failure-place.ts'

type Read<M> = { readonly ok: true; readonly message: M } | { readonly ok: false; readonly reason: string }

export type ConsumerOptions<M> = {
  readonly name: string
  /** Strict: what is not exactly a message of ours is poison. Reasons are constant codes. */
  readonly read: (body: string) => Read<M>
  readonly tenantOf: (message: M) => string
  /** What of a message may lie in quarantine, where it waits for an operator; left out: all of it. */
  readonly kept?: (message: M) => M
  /** `done`, or why no retry will help. Throws Unavailable to have the message again. */
  readonly handle: (message: M, sender: string | null) => Promise<'done' | { readonly poison: string }>
  readonly quarantine: (message: { readonly body: string; readonly group: string }, reason: string) => Promise<void>
  readonly alarm: Alarm
  readonly log: Pick<Logger, 'error'>
}

export const queueConsumer =
  <M>(options: ConsumerOptions<M>) =>
  async (event: QueueEvent): Promise<BatchResponse> => {
    const taken = await inGroups(event.Records, (record) => takeOne(options, record))
    const failed = event.Records.filter((record) => taken.get(record) !== true)
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
  }

/** Groups side by side, the messages of one after another: they work on the same rows and would only get in their own way. */
const inGroups = async (records: readonly QueueRecord[], take: (record: QueueRecord) => Promise<boolean>) => {
  const groups = Map.groupBy(records, ({ attributes }) => attributes.MessageGroupId ?? '')
  const taken = new Map<QueueRecord, boolean>()
  await Promise.all(
    [...groups.values()].map(async (group) => {
      for (const record of group) taken.set(record, await take(record))
    }),
  )
  return taken
}

/** True: nothing of it is left to do. Never throws, or the whole batch would be delivered again. */
const takeOne = async <M>(options: ConsumerOptions<M>, record: QueueRecord): Promise<boolean> => {
  const { name, alarm, log } = options
  const { messageId, body, attributes } = record
  const group = attributes.MessageGroupId ?? ''
  try {
    const verdict = await judge(options, record)
    if (verdict === 'done') return true
    await options.quarantine({ body: verdict.kept ?? body, group }, verdict.poison)
    alarm('message_quarantined', { messageId, reason: verdict.poison })
    return true
  } catch (error) {
    const why = error instanceof Unavailable ? { unavailable: error.kind } : { error: placeOf(error) }
    log.error('a message will be delivered again', {
      function: name,
      messageId,
      attempt: Number(attributes.ApproximateReceiveCount),
      ...why,
    })
    return false
  }
}

const judge = async <M>(options: ConsumerOptions<M>, { body, attributes }: QueueRecord) => {
  const read = options.read(body)
  if (!read.ok) return { poison: read.reason }
  const group = attributes.MessageGroupId
  const kept = options.kept && JSON.stringify(options.kept(read.message))
  // The group is who pays for the message; a message about another tenant is a mistake, or an attempt to hide.
  if (group !== undefined && tenantOfGroup(group) !== options.tenantOf(read.message))
    return { poison: 'wrong_tenant', kept }
  const verdict = await options.handle(read.message, attributes.SenderId ?? null)
  return verdict === 'done' ? verdict : { ...verdict, kept }
}
