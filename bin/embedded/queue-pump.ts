// Feeds a function from a queue of the embedded store, as Lambda does from SQS: the same event, the same answer of what is to
// be delivered again.
import { LIMITS } from '../../lib/domain/limits.ts'
import type { Delivery, QueueSource } from '../../lib/ports/queue.ts'
import type { BatchResponse, QueueEvent } from '../../lib/wire/lambda-events.ts'
import { runRounds } from './run-rounds.ts'

type Pump = {
  readonly source: QueueSource
  readonly handler: (event: QueueEvent) => Promise<BatchResponse>
  readonly log: { error(message: string, fields: Record<string, unknown>): void }
}

/** Batch after batch until nothing is due or `isOver`; how many messages there were. */
export const pumpAll = async (
  { source, handler }: Pick<Pump, 'source' | 'handler'>,
  isOver: () => boolean = () => false,
): Promise<number> => {
  let count = 0
  let batch = await source.receive(LIMITS.queueBatchMax)
  while (batch.length > 0) {
    count += batch.length
    const settled = await handle(handler, batch)
    // Together: the store writes both at once.
    const [, next] = await Promise.all([
      source.settle(...settled),
      isOver() ? [] : source.receive(LIMITS.queueBatchMax),
    ])
    batch = next
  }
  return count
}

/** What is done, and what is to come again. */
const handle = async (
  handler: Pump['handler'],
  deliveries: readonly Delivery[],
): Promise<[done: readonly Delivery[], again: readonly Delivery[]]> => {
  const { batchItemFailures } = await handler({
    Records: deliveries.map(({ id, body, group, attempt }) => ({
      messageId: id,
      body,
      attributes: { ApproximateReceiveCount: String(attempt), MessageGroupId: group },
    })),
  })
  const again = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
  return [deliveries.filter(({ id }) => !again.has(id)), deliveries.filter(({ id }) => again.has(id))]
}

/** close() resolves when the batch under way is settled. */
export const startQueuePump = (pump: Pump) =>
  runRounds({
    round: async (closing) => {
      await pumpAll(pump, () => closing.aborted)
      return false
    },
    pauseMs: LIMITS.queuePollMs,
    // The store is away: leases end by themselves, and what was not settled is delivered again.
    onFailure: () => pump.log.error('a queue could not be read', {}),
  })
