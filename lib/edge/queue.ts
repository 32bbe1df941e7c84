// The wrapper of every queue consumer: each message of a batch stands alone. Done is done; what a retry can help is delivered
// again by itself, not with its neighbours; what it cannot help is quarantined with its reason, at once (law L8).
import type { Logger } from '@aws-lambda-powertools/logger'
import type { Alarm } from '../domain/alarm.ts'
import { LIMITS } from '../domain/limits.ts'
import { Unavailable } from '../domain/unavailable.ts'
import { type BatchResponse, type QueueEvent, type QueueRecord, tenantOfGroup } from '../wire/lambda-events.ts'
import type { ReadMessage } from '../wire/queue-body.ts'
import { placeOf } from './failure-place.ts'

export type ConsumerOptions<M> = {
  readonly name: string
  /** Strict: what is not exactly a message of ours is poison. Reasons are constant codes. */
  readonly read: (body: string) => ReadMessage<M>
  readonly tenantOf: (message: M) => string
  /** Messages that may be handled side by side with others of their group; left out: each waits for the one before it. */
  readonly isFree?: (message: M) => boolean
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
    const failed: QueueRecord[] = []
    const take = async (record: QueueRecord, read: ReadMessage<M>): Promise<void> => {
      if (!(await takeOne(options, record, read))) failed.push(record)
    }
    const groups = Map.groupBy(event.Records, ({ attributes }) => attributes.MessageGroupId ?? '')
    await Promise.all([...groups.values()].map((group) => takeGroup(options, group, take)))
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
  }

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * In order but for what is free: that goes with its neighbours, and what is not waits for all before it. A few begin in each turn, so
 * that a full batch does not keep the loop from whoever else is served by it.
 */
const takeGroup = async <M>(
  { read, isFree = () => false }: ConsumerOptions<M>,
  group: readonly QueueRecord[],
  take: (record: QueueRecord, read: ReadMessage<M>) => Promise<void>,
): Promise<void> => {
  let underWay: Promise<void>[] = []
  for (const record of group) {
    const message = read(record.body)
    const free = message.ok && isFree(message.message)
    if (!free) await Promise.all(underWay)
    else if (underWay.length % LIMITS.queueTurnMax === 0) await nextTurn()
    const taken = take(record, message)
    if (free) underWay.push(taken)
    else {
      underWay = []
      await taken
    }
  }
  await Promise.all(underWay)
}

/** True: nothing of it is left to do. Never throws, or the whole batch would be delivered again. */
const takeOne = async <M>(options: ConsumerOptions<M>, record: QueueRecord, read: ReadMessage<M>): Promise<boolean> => {
  const { name, alarm, log } = options
  const { messageId, body, attributes } = record
  const group = attributes.MessageGroupId ?? ''
  try {
    const verdict = await judge(options, record, read)
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

const judge = async <M>(options: ConsumerOptions<M>, { attributes }: QueueRecord, read: ReadMessage<M>) => {
  if (!read.ok) return { poison: read.reason, kept: undefined }
  const group = attributes.MessageGroupId
  const poison = (reason: string) => ({
    poison: reason,
    kept: options.kept && JSON.stringify(options.kept(read.message)),
  })
  // The group is who pays for the message; a message about another tenant is a mistake, or an attempt to hide.
  if (group !== undefined && tenantOfGroup(group) !== options.tenantOf(read.message)) return poison('wrong_tenant')
  const verdict = await options.handle(read.message, attributes.SenderId ?? null)
  return verdict === 'done' ? verdict : poison(verdict.poison)
}
