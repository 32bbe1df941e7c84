// Feeds a function from a queue of the embedded store, as Lambda does from SQS: the same event, the same answer of what is to
// be delivered again.
import { LIMITS } from '../../lib/domain/limits.ts'
import type { QueueSource } from '../../lib/ports/queue.ts'
import type { BatchResponse, QueueEvent } from '../../lib/wire/lambda-events.ts'
import { runRounds } from './run-rounds.ts'

type Pump = {
  readonly source: QueueSource
  readonly handler: (event: QueueEvent) => Promise<BatchResponse>
  readonly log: { error(message: string, fields: Record<string, unknown>): void }
}

/** One batch; how many messages it had. */
export const pumpOnce = async ({ source, handler }: Pick<Pump, 'source' | 'handler'>): Promise<number> => {
  const deliveries = await source.receive(LIMITS.queueBatchMax)
  if (deliveries.length === 0) return 0
  const { batchItemFailures } = await handler({
    Records: deliveries.map(({ id, body, group, attempt }) => ({
      messageId: id,
      body,
      attributes: { ApproximateReceiveCount: String(attempt), MessageGroupId: group },
    })),
  })
  const again = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
  await source.settle(
    deliveries.filter(({ id }) => !again.has(id)),
    deliveries.filter(({ id }) => again.has(id)),
  )
  return deliveries.length
}

/** close() resolves when the batch under way is settled. */
export const startQueuePump = (pump: Pump) =>
  runRounds({
    round: async () => (await pumpOnce(pump)) > 0,
    pauseMs: LIMITS.queuePollMs,
    // The store is away: leases end by themselves, and what was not settled is delivered again.
    onFailure: () => pump.log.error('a queue could not be read', {}),
  })
